#include "worker/tasks/command/control_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

absl::Status Refused(absl::string_view what, const std::string& path) {
  const int error = errno;
  return absl::FailedPreconditionError(
      absl::StrCat(what, " ", path, ": ", std::strerror(error),
                   "; commands.cgroup must be delegated to the worker, with the memory controller "
                   "in its cgroup.subtree_control"));
}

// Never makes the file: where the controller is not enabled it is not there.
absl::Status Set(const std::string& file, const std::string& value) {
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Refused("open", file);
  const bool written = write(fd, value.data(), value.size()) == static_cast<ssize_t>(value.size());
  const absl::Status status = written ? absl::OkStatus() : Refused("write", file);
  close(fd);
  return status;
}

}  // namespace

absl::StatusOr<ControlGroup> ControlGroup::Make(const std::string& parent, const std::string& name,
                                                uint64_t memory_bytes) {
  ControlGroup group(absl::StrCat(parent, "/", name));
  if (mkdir(group.path_.c_str(), 0755) != 0 && errno != EEXIST) {
    const absl::Status status = Refused("mkdir", group.path_);
    group.path_.clear();
    return status;
  }
  absl::Status status = Set(group.path_ + "/memory.max", absl::StrCat(memory_bytes));
  if (status.ok()) status = Set(group.path_ + "/memory.oom.group", "1");
  // Absent where the kernel has no swap accounting.
  const std::string swap = group.path_ + "/memory.swap.max";
  if (status.ok() && access(swap.c_str(), F_OK) == 0) status = Set(swap, "0");
  if (!status.ok()) return status;
  return group;
}

ControlGroup::~ControlGroup() {
  if (!path_.empty()) rmdir(path_.c_str());
}

bool ControlGroup::RanOutOfMemory() const {
  std::ifstream events(path_ + "/memory.events");
  std::string name;
  uint64_t count = 0;
  while (events >> name >> count) {
    if (name == "oom_kill" && count > 0) return true;
  }
  return false;
}

uint64_t ControlGroup::PeakBytes() const {
  std::ifstream peak(path_ + "/memory.peak");
  uint64_t bytes = 0;
  peak >> bytes;
  return bytes;
}

}  // namespace switchyard::worker
