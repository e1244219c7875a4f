// Quota, lists and giving up of artifacts, over gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "scheduler/service/testing/scheduler_fixture.h"
#include "switchyard/v1/artifact_catalog_service.grpc.pb.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

class ArtifactCatalogTest : public SchedulerFixture {
 protected:
  void StartWithQuota(uint64_t bytes) {
    auto* tenant = config().add_tenants();
    tenant->set_name("default");
    tenant->set_artifact_bytes(bytes);
    StartScheduler();
    catalog_ = v1::ArtifactCatalogService::NewStub(channel());
  }
  grpc::Status Record(const std::string& name, int64_t size_bytes) {
    grpc::ClientContext context;
    worker::v1::RecordArtifactRequest request;
    request.mutable_artifact()->set_sha256(Sha256Hex(name));
    request.mutable_artifact()->set_size_bytes(size_bytes);
    v1::Artifact artifact;
    return artifacts().RecordArtifact(&context, request, &artifact);
  }
  grpc::Status Admit(const std::string& name, int64_t size_bytes,
                     worker::v1::AdmitArtifactResponse* response) {
    grpc::ClientContext context;
    worker::v1::AdmitArtifactRequest request;
    request.set_sha256(Sha256Hex(name));
    request.set_size_bytes(size_bytes);
    return artifacts().AdmitArtifact(&context, request, response);
  }
  grpc::Status Delete(const std::string& name, const std::string& request_id = "") {
    grpc::ClientContext context;
    v1::DeleteArtifactRequest request;
    request.set_sha256(Sha256Hex(name));
    request.set_request_id(request_id);
    google::protobuf::Empty empty;
    return catalog_->DeleteArtifact(&context, request, &empty);
  }
  v1::ListArtifactsResponse List(int page_size = 0, const std::string& token = "") {
    grpc::ClientContext context;
    v1::ListArtifactsRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    v1::ListArtifactsResponse response;
    const grpc::Status status = catalog_->ListArtifacts(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  std::unique_ptr<v1::ArtifactCatalogService::Stub> catalog_;
};

TEST_F(ArtifactCatalogTest, RefusesWhatDoesNotFitTheQuotaWithTheNumbers) {
  StartWithQuota(1000);
  ASSERT_TRUE(Record("a", 700).ok());
  const grpc::Status refused = Record("b", 400);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(),
              AllOf(HasSubstr("700"), HasSubstr("1000"), HasSubstr("400")));
  EXPECT_TRUE(Record("a", 700).ok()) << "what is there takes no room";
  EXPECT_TRUE(Record("c", 300).ok());
  worker::v1::AdmitArtifactResponse response;
  EXPECT_EQ(Admit("d", 0, &response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(Admit("c", 300, &response).ok());
  EXPECT_EQ(response.tenant(), "default");
  EXPECT_EQ(response.artifact().size_bytes(), 300);
  // Giving one up makes room.
  ASSERT_TRUE(Delete("a").ok());
  ASSERT_TRUE(Admit("d", 100, &response).ok());
  EXPECT_EQ(response.free_bytes(), 700);
  EXPECT_FALSE(response.has_artifact());
  EXPECT_TRUE(Record("d", 700).ok());
}

TEST_F(ArtifactCatalogTest, UploadsAtTheSameTimeDoNotPassTogether) {
  StartWithQuota(1000);
  std::vector<std::future<bool>> calls;
  for (int i = 0; i < 16; ++i) {
    calls.push_back(
        std::async(std::launch::async, [this, i] { return Record(std::to_string(i), 300).ok(); }));
  }
  int stored = 0;
  for (auto& call : calls) stored += call.get() ? 1 : 0;
  EXPECT_LE(stored, 3);
  EXPECT_LE(List().usage().used_bytes(), 1000);
  // Nothing stays set apart.
  int more = 0;
  while (Record("more" + std::to_string(more), 100).ok()) ++more;
  EXPECT_EQ(stored * 300 + more * 100, 1000);
}

TEST_F(ArtifactCatalogTest, ListsByHashInPagesWithTheUse) {
  StartWithQuota(5000);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(Record(name, 10).ok());
  const v1::ListArtifactsResponse first = List(2);
  ASSERT_EQ(first.artifacts_size(), 2);
  EXPECT_LT(first.artifacts(0).sha256(), first.artifacts(1).sha256());
  EXPECT_EQ(first.usage().artifacts(), 3);
  EXPECT_EQ(first.usage().used_bytes(), 30);
  EXPECT_EQ(first.usage().quota_bytes(), 5000);
  const v1::ListArtifactsResponse second = List(2, first.next_page_token());
  ASSERT_EQ(second.artifacts_size(), 1);
  EXPECT_TRUE(second.next_page_token().empty());
}

TEST_F(ArtifactCatalogTest, GivingUpTwiceIsNotFoundButARepeatIsNot) {
  StartWithQuota(0);
  ASSERT_TRUE(Record("a", 10).ok());
  const std::string id = "3f0b7d1e-5a53-4c5e-9f31-0c8f6a1c2b3d";
  ASSERT_TRUE(Delete("a", id).ok());
  EXPECT_TRUE(Delete("a", id).ok());
  EXPECT_EQ(Delete("a").error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(List().artifacts_size(), 0);
}

}  // namespace
}  // namespace switchyard::scheduler
