// Times to wake at: an indexed binary heap, so that a timer that is no longer needed is removed,
// not left to rot (an attempt of 10 us has a timeout of an hour). Internal to the core. Equal times
// come out in order of addition.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

enum class TimerKind : uint8_t {
  kWakeJob,
  kExpireJob,
  kLease,
  kAttempt,
  kHeld,
  kGang,
  kServing,
  kDrain,
  kShared
};

struct Timer {
  TimerKind kind = TimerKind::kWakeJob;
  uint32_t subject = 0;  // Index of the job, worker, attempt, pool or gang.
};

// Not thread-safe. Handles are valid until fired or removed.
class TimerQueue {
 public:
  uint32_t Add(int64_t when_us, Timer timer) {
    const uint32_t handle = positions_.Add();
    heap_.push_back({when_us, sequence_++, handle, timer});
    positions_[handle] = static_cast<uint32_t>(heap_.size() - 1);
    Up(heap_.size() - 1);
    return handle;
  }
  void Remove(uint32_t handle) {
    const size_t at = positions_[handle];
    positions_.Remove(handle);
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    Put(at, last);
    Up(at);
    Down(positions_[last.handle]);
  }
  // Removes `handle` unless it is kNone, and makes it so.
  void Cancel(uint32_t& handle) {
    if (handle == kNone) return;
    Remove(handle);
    handle = kNone;
  }
  int64_t Next() const { return heap_.empty() ? kNever : heap_.front().when_us; }
  // Takes one timer that is due; its handle is gone. False: none is due.
  bool PopDue(int64_t now_us, Timer& timer) {
    if (heap_.empty() || heap_.front().when_us > now_us) return false;
    timer = heap_.front().timer;
    Remove(heap_.front().handle);
    return true;
  }

 private:
  struct Entry {
    int64_t when_us;
    uint64_t sequence;
    uint32_t handle;
    Timer timer;
    bool Before(const Entry& other) const {
      return std::tie(when_us, sequence) < std::tie(other.when_us, other.sequence);
    }
  };

  void Put(size_t at, const Entry& entry) {
    heap_[at] = entry;
    positions_[entry.handle] = static_cast<uint32_t>(at);
  }
  void Up(size_t at) {
    const Entry entry = heap_[at];
    for (; at > 0 && entry.Before(heap_[(at - 1) / 2]); at = (at - 1) / 2)
      Put(at, heap_[(at - 1) / 2]);
    Put(at, entry);
  }
  void Down(size_t at) {
    const Entry entry = heap_[at];
    for (size_t child; (child = 2 * at + 1) < heap_.size(); at = child) {
      if (child + 1 < heap_.size() && heap_[child + 1].Before(heap_[child])) ++child;
      if (!heap_[child].Before(entry)) break;
      Put(at, heap_[child]);
    }
    Put(at, entry);
  }

  std::vector<Entry> heap_;
  Slab<uint32_t> positions_;  // Handle to place in the heap.
  uint64_t sequence_ = 0;
};

}  // namespace switchyard::scheduler
