// What one durable commit costs on a disk: the floor under every round trip of a durable job.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace switchyard::bench {

// Makes a store in a new folder under `directory`, commits one job's row `count` times, one row a
// commit, and gives each commit's time, in order of happening. Removes the folder.
absl::StatusOr<std::vector<absl::Duration>> MeasureBareCommits(const std::string& directory,
                                                               int count);

}  // namespace switchyard::bench
