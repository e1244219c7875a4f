#include "scheduler/validation/references.h"

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/validation/names.h"

namespace switchyard::scheduler {
namespace {

struct Resolver {
  absl::string_view tenant;
  const FieldFaults& faults;
  ReferenceSource& source;

  absl::Status RequireArtifact(absl::string_view sha256, absl::string_view field) {
    const absl::StatusOr<bool> has = source.HasArtifact(tenant, sha256);
    if (!has.ok()) return has.status();
    return *has ? absl::OkStatus() : Annotate(NotFound("artifact", sha256), faults.Path(field));
  }

  absl::Status RequireArtifact(const v1::Source& from, absl::string_view field) {
    return from.has_artifact() ? RequireArtifact(from.artifact(), absl::StrCat(field, ".artifact"))
                               : absl::OkStatus();
  }

  absl::StatusOr<v1::ModelVersion> RequireModel(absl::string_view name, uint32_t version,
                                                absl::string_view field) {
    absl::StatusOr<std::optional<v1::ModelVersion>> model = source.FindModel(tenant, name, version);
    if (!model.ok()) return model.status();
    if (model->has_value()) return std::move(**model);
    const std::string full = version == 0 ? std::string(name) : absl::StrCat(name, "@", version);
    return Annotate(NotFound("model", full), faults.Path(field));
  }

  absl::Status Resolve(v1::PredictSpec& spec) {
    const absl::StatusOr<v1::ModelVersion> model =
        RequireModel(spec.model(), spec.version(), "predict.model");
    if (!model.ok()) return model.status();
    spec.set_version(model->version());
    return spec.has_source() ? RequireArtifact(spec.source(), "predict.source") : absl::OkStatus();
  }

  absl::Status ResolveInitialWeights(v1::TrainSpec& spec) {
    if (spec.has_from_artifact())
      return RequireArtifact(spec.from_artifact(), "train.from_artifact");
    if (!spec.has_from_model()) return absl::OkStatus();
    const ModelReference reference =
        ParseModelReference(spec.from_model()).value_or(ModelReference{});
    const absl::StatusOr<v1::ModelVersion> model =
        RequireModel(reference.name, reference.version, "train.from_model");
    if (!model.ok()) return model.status();
    if (model->metadata().architecture() != spec.architecture()) {
      return InvalidField(
          faults.Path("train.from_model"),
          absl::StrCat("is a ", model->metadata().architecture(), ", not a ", spec.architecture()));
    }
    spec.set_from_model(absl::StrCat(model->model(), "@", model->version()));
    return absl::OkStatus();
  }

  absl::Status Resolve(v1::TrainSpec& spec) {
    if (absl::Status status = RequireArtifact(spec.train(), "train.train"); !status.ok())
      return status;
    if (absl::Status status = RequireArtifact(spec.validation(), "train.validation"); !status.ok())
      return status;
    return ResolveInitialWeights(spec);
  }

  absl::Status Resolve(const v1::CommandSpec& spec) {
    for (int i = 0; i < spec.inputs_size(); ++i) {
      const std::string field = absl::StrCat("command.inputs[", i, "].artifact");
      if (absl::Status status = RequireArtifact(spec.inputs(i).artifact(), field); !status.ok())
        return status;
    }
    return absl::OkStatus();
  }
};

}  // namespace

bool RefersToAnything(const v1::Job& job) {
  return job.has_predict() || job.has_train() || job.command().inputs_size() > 0;
}

absl::Status ResolveReferences(absl::string_view tenant, const FieldFaults& faults,
                               ReferenceSource& source, v1::Job& job) {
  Resolver resolver{tenant, faults, source};
  if (job.has_predict()) return resolver.Resolve(*job.mutable_predict());
  if (job.has_train()) return resolver.Resolve(*job.mutable_train());
  if (job.has_command()) return resolver.Resolve(job.command());
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
