// The two places where jobs and the model registry meet: the models an attempt needs, and the
// version a training makes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/image.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// Serialized v1.ModelVersion for each use; null: none.
struct LinkedModels {
  std::shared_ptr<const std::string> model;
  std::shared_ptr<const std::string> initial_model;
};

// Reads model versions for assignments and keeps some of them: versions are immutable. Not
// thread-safe.
class ModelLinks {
 public:
  explicit ModelLinks(JobStore& store) : store_(store) {}

  // Whether jobs of this kind (v1::Job::KindCase) may need a model, so that their spec must be
  // looked at.
  static bool MayNeedModel(uint32_t kind);

  // NOT_FOUND naming a model that is not there; DATA_LOSS for a spec that cannot be read; else as
  // the store.
  absl::StatusOr<LinkedModels> Find(absl::string_view tenant, absl::string_view spec);

 private:
  absl::StatusOr<std::shared_ptr<const std::string>> Get(absl::string_view tenant,
                                                         absl::string_view model, uint32_t version);

  JobStore& store_;
  std::map<std::string, std::shared_ptr<const std::string>> kept_;  // By tenant, model, version.
};

// Gives new versions their numbers within one drain. Not thread-safe.
class ModelRegistration {
 public:
  explicit ModelRegistration(JobStore& store) : store_(store) {}

  // Makes the version that the accepted success `image` of a training with this `spec` registers,
  // and writes its number into `image.result`. NOT_FOUND when the result holds no weights; else as
  // the store.
  absl::StatusOr<ModelVersionRow> Register(absl::string_view spec, JobImage& image);

 private:
  absl::StatusOr<uint32_t> NextVersion(const std::string& tenant, const std::string& model);

  JobStore& store_;
  std::map<std::pair<std::string, std::string>, uint32_t> latest_;  // Given out in this drain.
};

}  // namespace switchyard::scheduler
