// Which held attempt starts next: per class at most its limit run at once, and a place that becomes
// free goes to the lowest rank (then the first that came).
//
// The daemon has one for attempts with a runner of their own; the serving runner has one for all it
// is given. Not thread-safe: its owner locks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "switchyard/v1/fleet_service.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"
#include "worker/start/attempt_key.h"

namespace switchyard::worker {

class StartQueue {
 public:
  // Replaces all limits. A class not named runs nothing. Attempts running above a lowered limit go
  // on.
  void SetLimits(
      const google::protobuf::RepeatedPtrField<::switchyard::worker::v1::DeviceLimit>& limits);

  // REQUIRES: `key` is not held.
  void Add(const AttemptKey& key, ::switchyard::v1::JobClass job_class, uint64_t rank);

  // Takes a held attempt out. False when it is not held (unknown, or it was started).
  bool Remove(const AttemptKey& key);

  // The held attempt to start now, best first; it counts as running from here. Nothing when no
  // place is free.
  std::optional<AttemptKey> TakeNext();

  // One running attempt of the class ended.
  void Ended(::switchyard::v1::JobClass job_class);

  size_t held() const { return places_.size(); }
  uint32_t running(::switchyard::v1::JobClass job_class) const;

 private:
  using Place = std::pair<uint64_t, uint64_t>;  // Rank, arrival.
  struct Line {
    uint32_t limit = 0;
    uint32_t running = 0;
    std::map<Place, AttemptKey> held;
  };

  std::map<::switchyard::v1::JobClass, Line> lines_;
  absl::flat_hash_map<AttemptKey, std::pair<::switchyard::v1::JobClass, Place>> places_;
  uint64_t arrivals_ = 0;
};

}  // namespace switchyard::worker
