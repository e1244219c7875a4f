// A thread around the engine: a queue of inputs that any thread fills, emptied a batch at a time.
//
// It wakes when there is work or when the engine wants to be woken, and sleeps otherwise.
// Thread-safe.
#pragma once

#include <deque>
#include <thread>
#include <vector>

#include "common/sync/mutex.h"
#include "scheduler/engine/engine.h"

namespace switchyard::scheduler {

class EngineThread {
 public:
  // `engine` is borrowed and belongs to the thread until the destructor returns. Start it before.
  explicit EngineThread(Engine& engine);
  // Takes what was submitted before, answers it, and ends the thread.
  ~EngineThread();

  // Never blocks. After the destructor began: `done` is called here with UNAVAILABLE.
  void Submit(Input input);
  void Submit(std::vector<Input> inputs);
  // Makes the engine look around: the lead was gained or lost.
  void Wake();

 private:
  void Run();

  Engine& engine_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Input> inbox_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  bool woken_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::scheduler
