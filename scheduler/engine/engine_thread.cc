#include "scheduler/engine/engine_thread.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

// The engine is not asked twice within this time when it has nothing to take: a wake-up time in the
// past must not make the thread spin.
constexpr absl::Duration kShortestWait = absl::Milliseconds(1);
constexpr absl::Duration kLongestWait = absl::Seconds(60);

void RefuseStopping(Input& input) {
  if (!input.done) return;
  input.done(CommandResult{.status = MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN",
                                               "the scheduler is shutting down; try again")});
}

}  // namespace

EngineThread::EngineThread(Engine& engine) : engine_(engine), thread_([this] { Run(); }) {}

EngineThread::~EngineThread() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void EngineThread::Submit(Input input) {
  {
    MutexLock lock(mutex_);
    if (!stop_) {
      inbox_.push_back(std::move(input));
      // Only the first one finds the thread asleep.
      if (inbox_.size() == 1) changed_.Signal();
      return;
    }
  }
  RefuseStopping(input);
}

void EngineThread::Submit(std::vector<Input> inputs) {
  if (inputs.empty()) return;
  {
    MutexLock lock(mutex_);
    if (!stop_) {
      const bool was_empty = inbox_.empty();
      std::move(inputs.begin(), inputs.end(), std::back_inserter(inbox_));
      if (was_empty) changed_.Signal();
      return;
    }
  }
  for (Input& input : inputs) RefuseStopping(input);
}

void EngineThread::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  changed_.Signal();
}

void EngineThread::Run() {
  std::deque<Input> taken;
  bool stop = false;
  while (!stop || !taken.empty()) {
    if (taken.empty()) {
      const absl::Duration wait = std::clamp(engine_.TimeToWakeup(), kShortestWait, kLongestWait);
      MutexLock lock(mutex_);
      if (inbox_.empty() && !stop_ && !woken_) {
        changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(wait));
      }
      woken_ = false;
      taken.swap(inbox_);
      stop = stop_;
    }
    engine_.Drain(taken);
  }
}

}  // namespace switchyard::scheduler
