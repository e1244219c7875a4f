// Calls functions when their time has come. Why: held attempts and timeouts need no thread each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace switchyard::worker {

// Thread-safe. One thread calls the functions, one after another; they must not block.
class Timers {
 public:
  using Id = uint64_t;  // 0 is no timer.

  // `clock` outlives this.
  explicit Timers(Clock& clock);
  // Functions not called yet are dropped; waits for the one that runs.
  ~Timers();

  Id After(absl::Duration delay, std::function<void()> call);
  // No effect when it was called already, or for 0. It may be running right now.
  void Cancel(Id id);

 private:
  using Due = std::pair<absl::Duration, Id>;  // BootTime.
  void Run();

  Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  std::map<Due, std::function<void()>> calls_ GUARDED_BY(mutex_);
  absl::flat_hash_map<Id, absl::Duration> due_ GUARDED_BY(mutex_);
  Id last_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::worker
