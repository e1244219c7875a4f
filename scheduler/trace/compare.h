// Runs one trace through several policies and says which was better: won or lost, by how much.
//
// What ours is held to (and prints when it fails): a better mean completion time and 99th
// percentile of waiting than FIFO and than priority only, both within 1.05 of EASY backfill's, and
// the smallest share error of all.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/trace/run.h"

namespace switchyard::scheduler {

// One trace; every policy gets a source of its own from `open`.
struct Scenario {
  std::string name;  // `philly, load 0.9, seed 1`, a file's name.
  std::function<absl::StatusOr<std::unique_ptr<TraceSource>>()> open;
};

struct Comparison {
  std::string scenario;
  std::vector<RunResult> results;   // In the order of the policies asked for.
  std::vector<std::string> losses;  // `lost to EASY in p99 wait by 1.30x (within 1.05x allowed)`.
};

// `ours`, `fifo`, `priority`, `easy`.
std::vector<std::string> PolicyNames();

// Errors as RunCore's and RunBaseline's, naming the scenario; INVALID_ARGUMENT: unknown policy.
absl::StatusOr<Comparison> Compare(const Scenario& scenario,
                                   const std::vector<std::string>& policies, const Cluster& cluster,
                                   const RunProbes& probes);

// What `results` lost, by the rules above. Policies that were not run are not compared with.
std::vector<std::string> Losses(const std::vector<RunResult>& results);

}  // namespace switchyard::scheduler
