// What a runner has to say, on its way to the daemon: reports at once, events in batches.
//
// Why batches: a training step makes several events; one frame each would wake the daemon, the
// scheduler and every watcher as often. Events wait at most 50 ms or until 64 are waiting; of
// waiting progress only the last is kept, since it says all the earlier ones said. A report takes
// along what waits, so an attempt's events are there before its end is.
//
// Thread-safe. Never blocks on the daemon.
#pragma once

#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "switchyard/worker/v1/runner.pb.h"
#include "worker/framing/frame.h"
#include "worker/start/attempt_key.h"

namespace switchyard::worker {

inline constexpr absl::Duration kEventDelay = absl::Milliseconds(50);
inline constexpr size_t kEventBatch = 64;

class Outbox {
 public:
  // Both outlive this.
  Outbox(FrameSender& sender, Clock& clock);
  ~Outbox();

  void Report(::switchyard::worker::v1::AttemptReport report);
  // All in one frame.
  void Reports(std::vector<::switchyard::worker::v1::AttemptReport> reports);
  void Event(const AttemptKey& attempt, ::switchyard::v1::JobEvent event);
  void Answer(const ::switchyard::worker::v1::Health& health);
  void Serving(const ::switchyard::worker::v1::ServingState& state);

 private:
  struct Waiting {
    std::vector<::switchyard::v1::JobEvent> events;
    size_t progress = SIZE_MAX;  // Place of the progress event in `events`.
  };

  void Run();
  void SendLocked(::switchyard::worker::v1::FromRunner frame) REQUIRES(mutex_);

  FrameSender& sender_;
  Clock& clock_;
  Mutex mutex_;  // Held while sending too, so that frames keep the order of the calls.
  CondVar changed_;
  absl::flat_hash_map<AttemptKey, Waiting> waiting_ GUARDED_BY(mutex_);
  size_t waiting_count_ GUARDED_BY(mutex_) = 0;
  absl::Duration last_sent_ GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::worker
