// Loaded models of a serving runner, least recently used out first when a byte budget is passed.
//
// Thread-safe. A model is loaded by one caller while others that want it wait for that one (single
// flight); a failed load is not kept. A model in use stays alive through its users' pointers after
// it has left the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/sync/mutex.h"
#include "worker/torch/classifier.h"

namespace switchyard::worker {

class ModelCache {
 public:
  using Model = std::shared_ptr<Classifier>;
  using Load = std::function<absl::StatusOr<Model>()>;

  // One model larger than the budget is still served, alone.
  explicit ModelCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Blocks while the model is loaded, by `load` or by another caller. Its error is every waiter's.
  absl::StatusOr<Model> Get(const std::string& key, const Load& load);

  int64_t bytes() const;

 private:
  struct Entry {
    bool loading = true;
    absl::Status error;
    Model model;
    std::list<std::string>::iterator age;  // Into `by_age_`, once loaded.
  };
  absl::StatusOr<Model> Settle(const std::string& key, const std::shared_ptr<Entry>& entry,
                               absl::StatusOr<Model> loaded);
  void Evict() REQUIRES(mutex_);

  const int64_t max_bytes_;
  mutable Mutex mutex_;
  CondVar settled_;
  std::map<std::string, std::shared_ptr<Entry>> entries_ GUARDED_BY(mutex_);
  std::list<std::string> by_age_ GUARDED_BY(mutex_);  // Least recently used first.
  int64_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace switchyard::worker
