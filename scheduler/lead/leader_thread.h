// A thread around LeaderKeeper. Nothing else runs on it: what is late here costs the lead.
#pragma once

#include <thread>

#include "common/sync/mutex.h"
#include "scheduler/lead/leader_keeper.h"

namespace switchyard::scheduler {

class LeaderThread {
 public:
  // `keeper` is borrowed, and stepped by this thread only until the destructor returns.
  explicit LeaderThread(LeaderKeeper& keeper);
  // Waits for the step under way. Does not give the lead back.
  ~LeaderThread();

 private:
  void Run();

  LeaderKeeper& keeper_;
  Mutex mutex_;
  CondVar changed_;
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::scheduler
