#include "worker/serving/model_cache.h"

#include <new>
#include <utility>

#include "common/status/error.h"

namespace switchyard::worker {
namespace {

// Weights are read whole, so memory may run out here; those who wait must hear of it.
absl::StatusOr<ModelCache::Model> CallLoad(const ModelCache::Load& load) {
  try {
    return load();
  } catch (const std::bad_alloc&) {
    return MakeError(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                     "memory ran out while the model was loaded");
  }
}

}  // namespace

absl::StatusOr<ModelCache::Model> ModelCache::Get(const std::string& key, const Load& load) {
  std::shared_ptr<Entry> entry;
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      entry = found->second;
      while (entry->loading) settled_.Wait(mutex_);
      if (!entry->error.ok()) return entry->error;
      // It may have left the cache while we waited.
      const auto still = entries_.find(key);
      if (still != entries_.end() && still->second == entry) {
        by_age_.splice(by_age_.end(), by_age_, entry->age);
      }
      return entry->model;
    }
    entry = std::make_shared<Entry>();
    entries_[key] = entry;
  }
  return Settle(key, entry, CallLoad(load));
}

absl::StatusOr<ModelCache::Model> ModelCache::Settle(const std::string& key,
                                                     const std::shared_ptr<Entry>& entry,
                                                     absl::StatusOr<Model> loaded) {
  MutexLock lock(mutex_);
  entry->loading = false;
  settled_.SignalAll();
  if (!loaded.ok()) {
    entry->error = loaded.status();
    entries_.erase(key);
    return loaded;
  }
  entry->model = *loaded;
  entry->age = by_age_.insert(by_age_.end(), key);
  bytes_ += entry->model->size_bytes();
  Evict();
  return loaded;
}

void ModelCache::Evict() {
  while (bytes_ > max_bytes_ && by_age_.size() > 1) {
    const auto oldest = entries_.find(by_age_.front());
    bytes_ -= oldest->second->model->size_bytes();
    entries_.erase(oldest);
    by_age_.pop_front();
  }
}

int64_t ModelCache::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace switchyard::worker
