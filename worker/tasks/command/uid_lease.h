// A user id that no other attempt of this host uses.
//
// Held as an abstract Unix socket of that number's name: the kernel gives it back when the process
// is gone, however it ended, and there is no file to clean up or to be allowed to write.
#pragma once

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "common/artifacts/file_io.h"

namespace switchyard::worker {

class UidLease {
 public:
  // The first free one of `count` from `first`. RESOURCE_EXHAUSTED (NO_FREE_UID) when all are used.
  static absl::StatusOr<UidLease> Take(uid_t first, uint32_t count);
  uid_t uid() const { return uid_; }

 private:
  UidLease(UniqueFd socket, uid_t uid) : socket_(std::move(socket)), uid_(uid) {}
  UniqueFd socket_;
  uid_t uid_;
};

}  // namespace switchyard::worker
