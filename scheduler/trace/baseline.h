// The policies ours is compared with, as they are published.
//
// - FIFO: jobs start in order of arrival; where the first does not fit, all wait.
// - Priority: the same in order of (priority, arrival). No preemption.
// - EASY backfill (Lifka, JSSPP 1995; Mu'alem and Feitelson, IEEE TPDS 2001): FIFO, but the first
// job
//   that does not fit gets a reservation at the earliest time at which enough devices will be free
//   if everything that runs takes as long as its submitter's estimate. Later jobs may start at once
//   when by their own estimate they end before that, or need only devices the reservation leaves
//   free. The estimate is the declared limit (TraceJob::timeout_us, else the kind's default;
//   without any, a job is taken to run for ever), as in the paper; true run times are never looked
//   at.
//
// One object is the queue of one class (classes do not compete for slots). Not thread-safe.
#pragma once

#include <cstdint>
#include <map>

#include "absl/functional/function_ref.h"

namespace switchyard::scheduler {

enum class BaselinePolicy { kFifo, kPriority, kEasy };

// What a baseline is told of a job.
struct BaselineJob {
  uint64_t number = 0;  // By arrival; unique.
  uint32_t devices = 1;
  uint8_t priority = 5;
  int64_t estimate_us = 0;  // kNever: unknown.
};

class BaselineQueue {
 public:
  BaselineQueue(BaselinePolicy policy, uint64_t slots) : policy_(policy), free_(slots) {}

  // REQUIRES: it needs no more than all slots.
  void Submit(const BaselineJob& job);
  // A started job is over.
  void Ended(uint64_t number);
  // Starts what starts now.
  void Decide(int64_t now_us, absl::FunctionRef<void(uint64_t number)> start);

 private:
  struct Running {
    uint32_t devices;
    int64_t end_us;  // By its estimate; kNever: unknown.
  };
  // When the first job can start, and how many devices are free beside it then.
  struct Reservation {
    int64_t start_us;
    uint64_t beside;
  };
  using Key = std::pair<uint8_t, uint64_t>;  // Priority where it counts, number.

  Key KeyOf(const BaselineJob& job) const;
  void Start(const BaselineJob& job, int64_t now_us, absl::FunctionRef<void(uint64_t)> start);
  Reservation Reserve(uint32_t devices, int64_t now_us) const;
  void Backfill(int64_t now_us, absl::FunctionRef<void(uint64_t)> start);

  const BaselinePolicy policy_;
  uint64_t free_;
  std::map<Key, BaselineJob> waiting_;
  std::map<uint64_t, Running> running_;
  std::multimap<int64_t, uint32_t> ends_;  // Of what runs, by estimate.
  bool freed_ = false;      // Devices came free since the last look at all that wait.
  uint64_t looked_at_ = 0;  // Jobs below this number were looked at, and cannot start before then.
};

}  // namespace switchyard::scheduler
