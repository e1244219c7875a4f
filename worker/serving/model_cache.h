// Loaded models of a serving runner, least recently used out first when a byte budget is passed.
//
// Thread-safe. A model is loaded by one caller while others that want it wait for that one (single
// flight); a failed load is not kept. A model in use is not evicted: it would free nothing, and
// what is held would be said wrongly.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sync/mutex.h"
#include "worker/executor/resident_models.h"
#include "worker/torch/classifier.h"

namespace switchyard::worker {

class ModelCache final : public ResidentModels {
 public:
  using Model = std::shared_ptr<Classifier>;
  using Load = std::function<absl::StatusOr<Model>()>;

  // `evicted`, if any, is called after models have gone, without locks: to give their memory back.
  // A model larger than the budget is still served while somebody uses it.
  explicit ModelCache(int64_t max_bytes, std::function<void()> evicted = nullptr)
      : evicted_(std::move(evicted)), max_bytes_(max_bytes) {}

  // Blocks while the model is loaded, by `load` or by another caller. Its error is every waiter's.
  absl::StatusOr<Model> Get(const std::string& key, const Load& load);

  void SetBudget(int64_t bytes) override;
  Held Trim() override;

 private:
  struct Entry {
    bool loading = true;
    absl::Status error;
    Model model;
    std::list<std::string>::iterator age;  // Into `by_age_`, once loaded.
  };
  absl::StatusOr<Model> Settle(const std::string& key, const std::shared_ptr<Entry>& entry,
                               absl::StatusOr<Model> loaded);
  // Takes out what is idle and over the budget; the models are to be destroyed without the lock.
  std::vector<Model> Evict() REQUIRES(mutex_);
  void Destroy(std::vector<Model> models);

  const std::function<void()> evicted_;
  mutable Mutex mutex_;
  int64_t max_bytes_ GUARDED_BY(mutex_);
  CondVar settled_;
  std::map<std::string, std::shared_ptr<Entry>> entries_ GUARDED_BY(mutex_);
  std::list<std::string> by_age_ GUARDED_BY(mutex_);  // Least recently used first.
  int64_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace switchyard::worker
