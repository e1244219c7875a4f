#include "scheduler/trace/compare.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace switchyard::scheduler {
namespace {

constexpr double kAllowedOfEasy = 1.05;
// Waits are compared down to this: a wait of a second is as good as none.
constexpr double kLeastWaitS = 1;

const RunResult* Find(const std::vector<RunResult>& results, const std::string& policy) {
  for (const RunResult& result : results) {
    if (result.policy == policy) return &result;
  }
  return nullptr;
}

absl::StatusOr<RunResult> RunPolicy(const std::string& policy, TraceSource& trace,
                                    const Cluster& cluster, const RunProbes& probes) {
  if (policy == "ours") return RunCore(trace, cluster, probes);
  if (policy == "fifo") return RunBaseline(BaselinePolicy::kFifo, trace, cluster, probes);
  if (policy == "priority") return RunBaseline(BaselinePolicy::kPriority, trace, cluster, probes);
  if (policy == "easy") return RunBaseline(BaselinePolicy::kEasy, trace, cluster, probes);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no policy \"", policy, "\": ", absl::StrJoin(PolicyNames(), ", ")));
}

// Adds a line when `ours` is more than `allowed` times `theirs`.
void Judge(const std::string& whom, const std::string& what, double ours, double theirs,
           double allowed, std::vector<std::string>& losses) {
  if (ours <= theirs * allowed) return;
  const std::string ratio =
      theirs > 0 ? absl::StrFormat("%.2fx", ours / theirs) : std::string("more than nothing");
  const std::string beside =
      allowed > 1 ? absl::StrFormat(" (%.2fx allowed)", allowed) : std::string();
  losses.push_back(absl::StrCat("lost to ", whom, " in ", what, " by ", ratio, beside));
}

}  // namespace

std::vector<std::string> PolicyNames() { return {"ours", "fifo", "priority", "easy"}; }

std::vector<std::string> Losses(const std::vector<RunResult>& results) {
  std::vector<std::string> losses;
  const RunResult* ours = Find(results, "ours");
  if (ours == nullptr) return losses;
  for (const RunResult& other : results) {
    if (&other == ours) continue;
    const double allowed = other.policy == "easy" ? kAllowedOfEasy : 1;
    Judge(other.policy, "mean completion", ours->mean_completion_s, other.mean_completion_s,
          allowed, losses);
    Judge(other.policy, "p99 wait", std::max(ours->wait_p99_s, kLeastWaitS),
          std::max(other.wait_p99_s, kLeastWaitS), allowed, losses);
    Judge(other.policy, "share error", ours->share_error, other.share_error, 1, losses);
  }
  return losses;
}

absl::StatusOr<Comparison> Compare(const Scenario& scenario,
                                   const std::vector<std::string>& policies, const Cluster& cluster,
                                   const RunProbes& probes) {
  Comparison comparison;
  comparison.scenario = scenario.name;
  for (const std::string& policy : policies) {
    absl::StatusOr<std::unique_ptr<TraceSource>> trace = scenario.open();
    if (!trace.ok()) return trace.status();
    absl::StatusOr<RunResult> result = RunPolicy(policy, **trace, cluster, probes);
    if (!result.ok()) {
      return absl::Status(result.status().code(), absl::StrCat(scenario.name, ", ", policy, ": ",
                                                               result.status().message()));
    }
    result->policy = policy;
    comparison.results.push_back(*std::move(result));
  }
  comparison.losses = Losses(comparison.results);
  return comparison;
}

}  // namespace switchyard::scheduler
