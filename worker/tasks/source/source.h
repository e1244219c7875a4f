// Opens the Source of a job: a path beneath the worker's data roots, or an artifact.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "switchyard/v1/source.pb.h"
#include "worker/executor/executor.h"
#include "worker/tasks/source/file_tree.h"

namespace switchyard::worker {

// An archive is unpacked into the new folder `scratch` of the attempt's work folder; an artifact
// that is none is a tree of one file named as its hash. Blocks on disk; CANCELLED within a block's
// time of the attempt's cancel.
//
// PERMISSION_DENIED (OUTSIDE_DATA_ROOTS), NOT_FOUND, INVALID_ARGUMENT (bad archive, neither file
// nor folder, no location set), RESOURCE_EXHAUSTED (DISK_FULL): each names the path or the
// artifact.
absl::StatusOr<std::unique_ptr<FileTree>> OpenSource(AttemptContext& context,
                                                     const api::Source& source,
                                                     const std::string& scratch,
                                                     const SourceLimits& limits = {});

}  // namespace switchyard::worker
