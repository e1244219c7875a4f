// How long this worker's attempts are leased. A renewal counts from when the heartbeat that the
// scheduler acknowledged was *sent*: the scheduler counts from when it arrived, which is later, so
// the worker always gives up first.
//
// Times are Clock::BootTime. Not thread-safe: its owner locks.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "absl/time/time.h"

namespace switchyard::worker {

class LeaseKeeper {
 public:
  // An attach begins: heartbeats of an earlier stream are not acknowledged any more.
  void OnHelloSent(absl::Duration now);
  // The welcome acknowledges the hello.
  void OnWelcome(absl::Duration lease);
  // Sequence of the heartbeat to send now.
  uint64_t OnHeartbeatSent(absl::Duration now);
  // Acknowledges it and all earlier ones. True when the expiry moved. Unknown sequences have no
  // effect.
  bool OnAcknowledged(uint64_t sequence);

  // End of the lease; zero before the first welcome.
  absl::Duration expiry() const { return expiry_; }
  bool Expired(absl::Duration now) const { return now >= expiry_; }

 private:
  absl::Duration lease_;
  absl::Duration expiry_;
  uint64_t last_sequence_ = 0;
  std::deque<std::pair<uint64_t, absl::Duration>>
      sent_;  // Unacknowledged; sequence 0 is the hello.
};

}  // namespace switchyard::worker
