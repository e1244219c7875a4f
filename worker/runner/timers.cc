#include "worker/runner/timers.h"

#include <algorithm>

namespace switchyard::worker {
namespace {

// A sleeping machine does not advance the condition variable's clock; looking again each second
// bounds the error.
constexpr absl::Duration kLongestSleep = absl::Seconds(1);

}  // namespace

Timers::Timers(Clock& clock) : clock_(clock), thread_([this] { Run(); }) {}

Timers::~Timers() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

Timers::Id Timers::After(absl::Duration delay, std::function<void()> call) {
  MutexLock lock(mutex_);
  const Due due(clock_.BootTime() + delay, ++last_);
  const bool first = calls_.empty() || due < calls_.begin()->first;
  calls_.emplace(due, std::move(call));
  due_.emplace(due.second, due.first);
  if (first) changed_.Signal();
  return due.second;
}

void Timers::Cancel(Id id) {
  MutexLock lock(mutex_);
  const auto found = due_.find(id);
  if (found == due_.end()) return;
  calls_.erase({found->second, id});
  due_.erase(found);
}

void Timers::Run() {
  while (true) {
    std::function<void()> call;
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      if (calls_.empty()) {
        changed_.Wait(mutex_);
        continue;
      }
      const auto first = calls_.begin();
      const absl::Duration wait = first->first.first - clock_.BootTime();
      if (wait > absl::ZeroDuration()) {
        changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(std::min(wait, kLongestSleep)));
        continue;
      }
      call = std::move(first->second);
      due_.erase(first->first.second);
      calls_.erase(first);
    }
    call();
  }
}

}  // namespace switchyard::worker
