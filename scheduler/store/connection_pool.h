// Read connections of a store, lent to one thread at a time.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "common/sync/mutex.h"

namespace switchyard::scheduler {

// Thread-safe.
template <class Reader>
class ConnectionPool {
 public:
  void Add(std::unique_ptr<Reader> reader) {
    MutexLock lock(mutex_);
    free_.push_back(std::move(reader));
    returned_.Signal();
  }
  // Waits while all are lent. REQUIRES: one was added; what is taken is added again.
  std::unique_ptr<Reader> Take() {
    MutexLock lock(mutex_);
    while (free_.empty()) returned_.Wait(mutex_);
    std::unique_ptr<Reader> reader = std::move(free_.back());
    free_.pop_back();
    return reader;
  }

 private:
  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<Reader>> free_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::scheduler
