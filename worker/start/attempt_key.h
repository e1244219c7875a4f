// An attempt under its lease, as a key of maps. The fencing number is part of it: the same job and
// attempt number under another dispatch is another attempt.
#pragma once

#include <cstdint>
#include <tuple>

#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::worker {

struct AttemptKey {
  uint64_t job = 0;
  uint32_t attempt = 0;
  uint64_t epoch = 0;
  uint64_t counter = 0;

  friend bool operator==(const AttemptKey&, const AttemptKey&) = default;
  friend auto operator<=>(const AttemptKey&, const AttemptKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const AttemptKey& key) {
    return H::combine(std::move(state), key.job, key.attempt, key.epoch, key.counter);
  }
};

inline AttemptKey KeyOf(const ::switchyard::worker::v1::AttemptRef& ref) {
  return {ref.job(), ref.attempt(), ref.fencing().epoch(), ref.fencing().counter()};
}

inline ::switchyard::worker::v1::AttemptRef RefOf(const AttemptKey& key) {
  ::switchyard::worker::v1::AttemptRef ref;
  ref.set_job(key.job);
  ref.set_attempt(key.attempt);
  ref.mutable_fencing()->set_epoch(key.epoch);
  ref.mutable_fencing()->set_counter(key.counter);
  return ref;
}

}  // namespace switchyard::worker
