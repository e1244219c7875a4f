#include "scheduler/service/reader_pool.h"

#include <utility>

#include "common/status/error.h"

namespace switchyard::scheduler {

ReaderPool::ReaderPool(int threads, size_t most_waiting) : most_waiting_(most_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

ReaderPool::~ReaderPool() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status ReaderPool::Run(std::function<void()> work) {
  {
    MutexLock lock(mutex_);
    if (waiting_.size() >= most_waiting_) {
      return WithRetryDelay(MakeError(absl::StatusCode::kResourceExhausted, "READS_OVERLOADED",
                                      "too many reads wait; try again later"),
                            absl::Seconds(1));
    }
    waiting_.push_back(std::move(work));
  }
  changed_.Signal();
  return absl::OkStatus();
}

void ReaderPool::Loop() {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stop_) changed_.Wait(mutex_);
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace switchyard::scheduler
