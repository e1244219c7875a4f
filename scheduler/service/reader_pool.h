// Threads for work that may wait on the disk: reads of the store and of artifacts, which must not
// hold up the threads that serve the network.
//
// Thread-safe. Bounded: what cannot be taken is refused at once, so that overload is told to
// callers instead of queueing.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/sync/mutex.h"

namespace switchyard::scheduler {

class ReaderPool {
 public:
  explicit ReaderPool(int threads, size_t most_waiting = 10'000);
  // Does what was taken, then ends.
  ~ReaderPool();

  // RESOURCE_EXHAUSTED (reason READS_OVERLOADED, with a retry delay) when too much waits; `work` is
  // then not called.
  absl::Status Run(std::function<void()> work);

 private:
  void Loop();

  const size_t most_waiting_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace switchyard::scheduler
