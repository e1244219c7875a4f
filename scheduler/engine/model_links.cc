#include "scheduler/engine/model_links.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/error.h"
#include "switchyard/v1/job.pb.h"
#include "switchyard/v1/model_service.pb.h"

namespace switchyard::scheduler {
namespace {

constexpr size_t kModelsKept = 256;

// `NAME@VERSION`, or `NAME` for the latest.
std::pair<absl::string_view, uint32_t> SplitModel(absl::string_view text) {
  const size_t at = text.rfind('@');
  uint32_t version = 0;
  if (at == absl::string_view::npos || !absl::SimpleAtoi(text.substr(at + 1), &version)) {
    return {text, 0};
  }
  return {text.substr(0, at), version};
}

}  // namespace

bool ModelLinks::MayNeedModel(uint32_t kind) {
  return kind == v1::Job::kPredict || kind == v1::Job::kTrain;
}

absl::StatusOr<LinkedModels> ModelLinks::Find(absl::string_view tenant, absl::string_view spec) {
  v1::Job job;
  if (!job.ParseFromArray(spec.data(), static_cast<int>(spec.size()))) {
    return absl::DataLossError("the stored spec cannot be read; submit the job again");
  }
  LinkedModels models;
  if (job.has_predict()) {
    auto model = Get(tenant, job.predict().model(), job.predict().version());
    if (!model.ok()) return model.status();
    models.model = *std::move(model);
  } else if (job.has_train() && !job.train().from_model().empty()) {
    const auto [name, version] = SplitModel(job.train().from_model());
    auto model = Get(tenant, name, version);
    if (!model.ok()) return model.status();
    models.initial_model = *std::move(model);
  }
  return models;
}

absl::StatusOr<std::shared_ptr<const std::string>> ModelLinks::Get(absl::string_view tenant,
                                                                   absl::string_view model,
                                                                   uint32_t version) {
  const std::string key = absl::StrCat(tenant, "\n", model, "\n", version);
  const auto kept = kept_.find(key);
  if (kept != kept_.end()) return kept->second;
  absl::StatusOr<ModelVersionRow> row = store_.GetModelVersion(tenant, model, version);
  if (!row.ok()) return row.status();
  auto bytes = std::make_shared<const std::string>(std::move(row->bytes));
  if (version == 0) return bytes;  // The latest changes.
  if (kept_.size() >= kModelsKept) kept_.clear();
  kept_[key] = bytes;
  return bytes;
}

absl::StatusOr<uint32_t> ModelRegistration::NextVersion(const std::string& tenant,
                                                        const std::string& model) {
  const auto [entry, first] = latest_.try_emplace({tenant, model}, 0);
  if (first) {
    const absl::StatusOr<ModelVersionRow> row = store_.GetModelVersion(tenant, model, 0);
    if (row.ok()) {
      entry->second = row->version;
    } else if (!absl::IsNotFound(row.status())) {
      latest_.erase(entry);
      return row.status();
    }
  }
  return ++entry->second;
}

absl::StatusOr<ModelVersionRow> ModelRegistration::Register(absl::string_view spec,
                                                            JobImage& image) {
  v1::Job job;
  // Two serialized messages after each other are their merge: spec, then result.
  const bool parsed = job.ParseFromString(absl::StrCat(spec, image.result));
  if (!parsed || !job.has_train_result() || job.train_result().weights_artifact().empty()) {
    return absl::NotFoundError("the result names no weights");
  }
  const std::string& name = job.train().save_as();
  const absl::StatusOr<uint32_t> number = NextVersion(image.tenant, name);
  if (!number.ok()) return number.status();

  v1::ModelVersion version;
  version.set_model(name);
  version.set_version(*number);
  version.set_tenant(image.tenant);
  version.set_weights_artifact(job.train_result().weights_artifact());
  *version.mutable_metadata() = job.train_result().metadata();
  version.set_job(FormatJobId(image.id));
  version.mutable_create_time()->set_seconds(image.end_us / 1000000);
  version.mutable_create_time()->set_nanos(static_cast<int32_t>(image.end_us % 1000000 * 1000));
  version.set_validation_accuracy(job.train_result().validation_accuracy());

  v1::Job numbered;
  numbered.mutable_train_result()->set_model(name);
  numbered.mutable_train_result()->set_version(*number);
  image.result += numbered.SerializeAsString();
  return ModelVersionRow{.tenant = image.tenant,
                         .model = name,
                         .version = *number,
                         .job = image.id,
                         .create_ms = image.end_us / 1000,
                         .bytes = version.SerializeAsString()};
}

}  // namespace switchyard::scheduler
