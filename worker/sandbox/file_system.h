// The guard `mounts`: a file system of the program's own, put together from bind mounts of what it
// may see. What is not in it has no name there: host files, other jobs' folders, Unix sockets.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "switchyard/worker/v1/sandbox.pb.h"

namespace switchyard::sandbox {

// Where work and temporary folder are in the own file system.
inline constexpr char kWorkFolder[] = "/work";
inline constexpr char kTemporaryFolder[] = "/tmp";

// Changes of mounts stay in this process's mount namespace. REQUIRES: an own one.
absl::Status KeepMountsHere();

// A /proc of this process's id namespace over the one there.
absl::Status MountProcesses();

// Makes the own file system at `plan.root_folder` and makes it the root. `own_processes`: with a
// /proc of this process's id namespace, else the host's. REQUIRES: KeepMountsHere.
absl::Status EnterOwnFileSystem(const ::switchyard::worker::v1::SandboxPlan& plan,
                                bool own_processes);

}  // namespace switchyard::sandbox
