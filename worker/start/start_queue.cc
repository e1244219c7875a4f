#include "worker/start/start_queue.h"

namespace switchyard::worker {

void StartQueue::SetLimits(
    const google::protobuf::RepeatedPtrField<::switchyard::worker::v1::DeviceLimit>& limits) {
  for (auto& [job_class, line] : lines_) line.limit = 0;
  for (const auto& limit : limits) lines_[limit.job_class()].limit = limit.max_running();
}

void StartQueue::Add(const AttemptKey& key, ::switchyard::v1::JobClass job_class, uint64_t rank) {
  const Place place(rank, ++arrivals_);
  if (!places_.try_emplace(key, job_class, place).second) return;
  lines_[job_class].held.emplace(place, key);
}

bool StartQueue::Remove(const AttemptKey& key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return false;
  const auto [job_class, place] = found->second;
  lines_[job_class].held.erase(place);
  places_.erase(found);
  return true;
}

std::optional<AttemptKey> StartQueue::TakeNext() {
  Line* best = nullptr;
  for (auto& [job_class, line] : lines_) {
    if (line.held.empty() || line.running >= line.limit) continue;
    if (best == nullptr || line.held.begin()->first < best->held.begin()->first) best = &line;
  }
  if (best == nullptr) return std::nullopt;
  const AttemptKey key = best->held.begin()->second;
  best->held.erase(best->held.begin());
  ++best->running;
  places_.erase(key);
  return key;
}

void StartQueue::Ended(::switchyard::v1::JobClass job_class) {
  Line& line = lines_[job_class];
  if (line.running > 0) --line.running;
}

uint32_t StartQueue::running(::switchyard::v1::JobClass job_class) const {
  const auto found = lines_.find(job_class);
  return found == lines_.end() ? 0 : found->second.running;
}

}  // namespace switchyard::worker
