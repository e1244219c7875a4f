#include "worker/agent/lease_keeper.h"

#include <algorithm>

namespace switchyard::worker {

void LeaseKeeper::OnHelloSent(absl::Duration now) {
  sent_.clear();
  sent_.emplace_back(last_sequence_, now);
}

void LeaseKeeper::OnWelcome(absl::Duration lease) {
  lease_ = lease;
  OnAcknowledged(last_sequence_);
}

uint64_t LeaseKeeper::OnHeartbeatSent(absl::Duration now) {
  sent_.emplace_back(++last_sequence_, now);
  return last_sequence_;
}

bool LeaseKeeper::OnAcknowledged(uint64_t sequence) {
  if (sequence > last_sequence_) return false;
  const absl::Duration before = expiry_;
  while (!sent_.empty() && sent_.front().first <= sequence) {
    expiry_ = std::max(expiry_, sent_.front().second + lease_);
    sent_.pop_front();
  }
  return expiry_ != before;
}

}  // namespace switchyard::worker
