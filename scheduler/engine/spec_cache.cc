#include "scheduler/engine/spec_cache.h"

#include <utility>

namespace switchyard::scheduler {

void SpecCache::Put(JobId job, std::string spec) {
  bytes_ += spec.size() + kOverhead;
  specs_[job] = std::move(spec);
  order_.push_back(job);
  std::string dropped;
  while (bytes_ > max_bytes_ && !order_.empty()) {
    const JobId oldest = order_.front();
    order_.pop_front();
    Take(oldest, dropped);
  }
  // Entries already taken leave their place in the order behind.
  while (!order_.empty() && specs_.count(order_.front()) == 0) order_.pop_front();
}

bool SpecCache::Take(JobId job, std::string& spec) {
  const auto found = specs_.find(job);
  if (found == specs_.end()) return false;
  spec = std::move(found->second);
  bytes_ -= spec.size() + kOverhead;
  specs_.erase(found);
  return true;
}

void SpecCache::Clear() {
  specs_.clear();
  order_.clear();
  bytes_ = 0;
}

}  // namespace switchyard::scheduler
