#include "worker/sandbox/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "worker/sandbox/system_error.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

namespace switchyard::sandbox {
namespace {

// include/uapi/linux/landlock.h.
constexpr uint64_t kExecute = 1ULL << 0, kWriteFile = 1ULL << 1, kReadFile = 1ULL << 2,
                   kReadDir = 1ULL << 3, kMakeChar = 1ULL << 6, kMakeBlock = 1ULL << 11,
                   kMakeSym = 1ULL << 12, kRefer = 1ULL << 13, kTruncate = 1ULL << 14,
                   kIoctlDev = 1ULL << 15;
constexpr uint64_t kFirstRights = (kMakeSym << 1) - 1;  // All of version 1.
constexpr uint64_t kScopes = 3;  // Abstract Unix sockets and signals, from version 6.
constexpr uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDev;
constexpr unsigned kAskVersion = 1;
constexpr int kPathBeneath = 1;

struct RulesetAttributes {
  uint64_t handled_access_fs = 0;
  uint64_t handled_access_net = 0;
  uint64_t scoped = 0;
};

struct __attribute__((packed)) PathBeneath {
  uint64_t allowed_access = 0;
  int32_t parent_fd = -1;
};

uint64_t RightsOf(int version) {
  uint64_t rights = kFirstRights;
  if (version >= 2) rights |= kRefer;
  if (version >= 3) rights |= kTruncate;
  if (version >= 5) rights |= kIoctlDev;
  return rights;
}

// A set of rules that is being put together.
class Ruleset {
 public:
  ~Ruleset() {
    if (fd_ >= 0) close(fd_);
  }

  absl::Status Create(int version) {
    handled_ = RightsOf(version);
    RulesetAttributes attributes{.handled_access_fs = handled_, .scoped = kScopes};
    const size_t size = version >= 6 ? sizeof(attributes) : sizeof(uint64_t);
    fd_ = static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0));
    return fd_ >= 0 ? absl::OkStatus() : SystemError("landlock_create_ruleset");
  }

  absl::Status Allow(const std::string& path, uint64_t rights, bool required) {
    const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return required ? SystemError("open", path) : absl::OkStatus();
    struct stat file = {};
    if (fstat(fd, &file) == 0 && !S_ISDIR(file.st_mode)) rights &= kFileRights;
    PathBeneath rule{.allowed_access = rights & handled_, .parent_fd = fd};
    const long failed = syscall(SYS_landlock_add_rule, fd_, kPathBeneath, &rule, 0);
    const absl::Status status =
        failed == 0 ? absl::OkStatus() : SystemError("landlock_add_rule", path);
    close(fd);
    return status;
  }

  absl::Status Apply() const {
    if (syscall(SYS_landlock_restrict_self, fd_, 0) == 0) return absl::OkStatus();
    return SystemError("landlock_restrict_self");
  }

 private:
  int fd_ = -1;
  uint64_t handled_ = 0;
};

absl::Status AllowAll(Ruleset& ruleset, const std::vector<std::string>& paths, uint64_t rights,
                      bool required) {
  for (const std::string& path : paths) {
    if (absl::Status status = ruleset.Allow(path, rights, required); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

int LandlockVersion() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

absl::Status RestrictFiles(const LandlockRules& rules) {
  const int version = LandlockVersion();
  if (version == 0) {
    return absl::FailedPreconditionError(
        "this kernel has no Landlock, or it is not among the security modules of its command line "
        "(lsm=landlock,...)");
  }
  constexpr uint64_t kRead = kExecute | kReadFile | kReadDir;
  constexpr uint64_t kWork = ~(kExecute | kMakeChar | kMakeBlock);
  constexpr uint64_t kDevice = kReadFile | kWriteFile | kIoctlDev | kTruncate;
  Ruleset ruleset;
  absl::Status status = ruleset.Create(version);
  if (status.ok()) status = AllowAll(ruleset, rules.readable, kRead, /*required=*/false);
  if (status.ok()) status = AllowAll(ruleset, rules.required, kRead, /*required=*/true);
  if (status.ok()) status = AllowAll(ruleset, rules.devices, kDevice, /*required=*/false);
  if (status.ok()) status = AllowAll(ruleset, rules.writable, kWork, /*required=*/true);
  return status.ok() ? ruleset.Apply() : status;
}

}  // namespace switchyard::sandbox
