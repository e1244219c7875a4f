// Who this scheduler is to the others: a random id kept in its data folder, which one process has
// to itself. Blocks on the disk.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace switchyard::scheduler {

// The id in DIRECTORY/scheduler.id, made at the first start. REQUIRES: the caller holds the
// folder's lock. FAILED_PRECONDITION naming the file when it cannot be written or read.
absl::StatusOr<std::string> ReadOrMakeSchedulerId(const std::string& directory);

}  // namespace switchyard::scheduler
