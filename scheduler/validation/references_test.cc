#include "scheduler/validation/references.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

class FakeSource final : public ReferenceSource {
 public:
  absl::StatusOr<bool> HasArtifact(absl::string_view tenant, absl::string_view sha256) override {
    return tenant == "default" && sha256 == std::string(64, 'a');
  }
  absl::StatusOr<std::optional<v1::ModelVersion>> FindModel(absl::string_view,
                                                            absl::string_view name,
                                                            uint32_t version) override {
    if (name != "digits" || version > 7) return std::optional<v1::ModelVersion>();
    v1::ModelVersion model;
    model.set_model("digits");
    model.set_version(version == 0 ? 7 : version);
    model.mutable_metadata()->set_architecture("small_cnn");
    return std::optional<v1::ModelVersion>(model);
  }
};

absl::Status Resolve(v1::Job& job) {
  FakeSource source;
  return ResolveReferences("default", FieldFaults("job"), source, job);
}

TEST(References, PredictIsResolvedToTheLatestVersion) {
  v1::Job job;
  job.mutable_predict()->set_model("digits");
  ASSERT_TRUE(Resolve(job).ok());
  EXPECT_EQ(job.predict().version(), 7u);
}

TEST(References, AnUnknownModelIsNamed) {
  v1::Job job;
  job.mutable_predict()->set_model("digits");
  job.mutable_predict()->set_version(8);
  const absl::Status status = Resolve(job);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("job.predict.model"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("digits@8"));
}

TEST(References, AnArtifactWithoutAReferenceOfTheTenantIsNotFound) {
  v1::Job job;
  job.mutable_train()->mutable_train()->set_artifact(std::string(64, 'b'));
  EXPECT_EQ(Resolve(job).code(), absl::StatusCode::kNotFound);
  job.mutable_train()->mutable_train()->set_artifact(std::string(64, 'a'));
  EXPECT_TRUE(Resolve(job).ok());
}

TEST(References, InitialWeightsArePinnedAndOfTheSameArchitecture) {
  v1::Job job;
  job.mutable_train()->mutable_train()->set_path("/data");
  job.mutable_train()->set_from_model("digits");
  job.mutable_train()->set_architecture("small_cnn");
  ASSERT_TRUE(Resolve(job).ok());
  EXPECT_EQ(job.train().from_model(), "digits@7");
  job.mutable_train()->set_architecture("resnet18");
  EXPECT_THAT(std::string(Resolve(job).message()), HasSubstr("job.train.from_model"));
}

}  // namespace
}  // namespace switchyard::scheduler
