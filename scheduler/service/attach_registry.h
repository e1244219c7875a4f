// The worker sessions that are open: how the engine's messages find their streams. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "common/sync/mutex.h"
#include "scheduler/engine/engine.h"

namespace switchyard::scheduler {

class AttachSession;

class AttachRegistry {
 public:
  // Session numbers are never given twice in a process.
  uint64_t Add(std::shared_ptr<AttachSession> session);
  void Remove(uint64_t session);
  // From the engine. A session that is gone is passed over: its worker's next Attach repairs.
  void Send(uint64_t epoch, SessionOutput output);
  size_t size() const;

 private:
  mutable Mutex mutex_;
  uint64_t last_ GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, std::shared_ptr<AttachSession>> sessions_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::scheduler
