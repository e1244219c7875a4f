#include "scheduler/trace/baseline.h"

#include <algorithm>

#include "scheduler/core/types.h"

namespace switchyard::scheduler {
namespace {

int64_t EndOf(int64_t now_us, int64_t estimate_us) {
  return estimate_us >= kNever - now_us ? kNever : now_us + estimate_us;
}

}  // namespace

BaselineQueue::Key BaselineQueue::KeyOf(const BaselineJob& job) const {
  return {policy_ == BaselinePolicy::kPriority ? job.priority : uint8_t{0}, job.number};
}

void BaselineQueue::Submit(const BaselineJob& job) { waiting_.emplace(KeyOf(job), job); }

void BaselineQueue::Ended(uint64_t number) {
  const auto found = running_.find(number);
  const Running ended = found->second;
  running_.erase(found);
  free_ += ended.devices;
  freed_ = true;
  if (policy_ != BaselinePolicy::kEasy) return;
  auto [end, last] = ends_.equal_range(ended.end_us);
  while (end->second != ended.devices) ++end;
  ends_.erase(end);
}

void BaselineQueue::Start(const BaselineJob& job, int64_t now_us,
                          absl::FunctionRef<void(uint64_t)> start) {
  const int64_t end_us = EndOf(now_us, job.estimate_us);
  free_ -= job.devices;
  running_.emplace(job.number, Running{job.devices, end_us});
  if (policy_ == BaselinePolicy::kEasy) ends_.emplace(end_us, job.devices);
  start(job.number);
}

void BaselineQueue::Decide(int64_t now_us, absl::FunctionRef<void(uint64_t)> start) {
  while (!waiting_.empty() && waiting_.begin()->second.devices <= free_) {
    Start(waiting_.begin()->second, now_us, start);
    waiting_.erase(waiting_.begin());
  }
  if (policy_ == BaselinePolicy::kEasy) Backfill(now_us, start);
}

BaselineQueue::Reservation BaselineQueue::Reserve(uint32_t devices, int64_t now_us) const {
  uint64_t free = free_;
  for (const auto& [end_us, ending] : ends_) {
    free += ending;
    // What runs beyond its estimate is over any moment.
    if (free >= devices) return {std::max(end_us, now_us), free - devices};
  }
  return {kNever, 0};
}

void BaselineQueue::Backfill(int64_t now_us, absl::FunctionRef<void(uint64_t)> start) {
  if (waiting_.empty()) return;
  // While nothing came free, those already looked at fit no better than before: only new ones are
  // looked at.
  auto next = freed_ ? std::next(waiting_.begin()) : waiting_.lower_bound({0, looked_at_});
  if (next == waiting_.begin()) ++next;
  freed_ = false;
  looked_at_ = waiting_.rbegin()->first.second + 1;
  if (next == waiting_.end() || free_ == 0) return;
  Reservation first = Reserve(waiting_.begin()->second.devices, now_us);
  while (next != waiting_.end() && free_ > 0) {
    const BaselineJob& job = next->second;
    const bool ends_before = EndOf(now_us, job.estimate_us) <= first.start_us;
    if (job.devices > free_ || (!ends_before && job.devices > first.beside)) {
      ++next;
      continue;
    }
    if (!ends_before) first.beside -= job.devices;
    Start(job, now_us, start);
    next = waiting_.erase(next);
  }
}

}  // namespace switchyard::scheduler
