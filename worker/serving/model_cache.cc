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
  std::vector<Model> gone;
  {
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
    gone = Evict();
  }
  Destroy(std::move(gone));
  return loaded;
}

std::vector<ModelCache::Model> ModelCache::Evict() {
  std::vector<Model> gone;
  for (auto age = by_age_.begin(); age != by_age_.end() && bytes_ > max_bytes_;) {
    const auto found = entries_.find(*age);
    // One pointer is ours; users only make more of it through us, under the lock.
    if (found->second->model.use_count() > 1) {
      ++age;
      continue;
    }
    bytes_ -= found->second->model->size_bytes();
    gone.push_back(std::move(found->second->model));
    entries_.erase(found);
    age = by_age_.erase(age);
  }
  return gone;
}

void ModelCache::Destroy(std::vector<Model> models) {
  if (models.empty()) return;
  models.clear();
  if (evicted_) evicted_();
}

void ModelCache::SetBudget(int64_t bytes) {
  {
    MutexLock lock(mutex_);
    max_bytes_ = bytes;
  }
  Trim();
}

ResidentModels::Held ModelCache::Trim() {
  std::vector<Model> gone;
  Held held;
  {
    MutexLock lock(mutex_);
    gone = Evict();
    held.bytes = bytes_;
    for (const std::string& key : by_age_) {
      const Model& model = entries_.at(key)->model;
      if (model.use_count() > 1) held.busy_bytes += model->size_bytes();
    }
  }
  Destroy(std::move(gone));
  return held;
}

}  // namespace switchyard::worker
