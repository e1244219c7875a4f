#include "scheduler/lead/leader_thread.h"

#include <chrono>

namespace switchyard::scheduler {

LeaderThread::LeaderThread(LeaderKeeper& keeper) : keeper_(keeper), thread_([this] { Run(); }) {}

LeaderThread::~LeaderThread() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void LeaderThread::Run() {
  while (true) {
    const absl::Duration pause = keeper_.Step();
    MutexLock lock(mutex_);
    if (!stop_) changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(pause));
    if (stop_) return;
  }
}

}  // namespace switchyard::scheduler
