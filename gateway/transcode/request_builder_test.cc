#include "gateway/transcode/request_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/transcode/route_table.h"
#include "switchyard/v1/artifact_service.pb.h"
#include "switchyard/v1/fleet_service.pb.h"
#include "switchyard/v1/job_service.pb.h"
#include "switchyard/v1/model_service.pb.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Api& TheApi() {
  static const Api* const built = [] {
    const auto* pool = google::protobuf::DescriptorPool::generated_pool();
    // Named, so that their files are linked in.
    (void)api::GetJobRequest::descriptor();
    (void)api::GetModelRequest::descriptor();
    (void)api::GetLimitsRequest::descriptor();
    (void)api::GetArtifactRequest::descriptor();
    auto result = Api::Build({pool->FindServiceByName("switchyard.v1.JobService"),
                              pool->FindServiceByName("switchyard.v1.ModelService"),
                              pool->FindServiceByName("switchyard.v1.FleetService"),
                              pool->FindServiceByName("switchyard.v1.ArtifactService")});
    EXPECT_TRUE(result.ok()) << result.status();
    return result->release();
  }();
  return *built;
}

struct Call {
  absl::string_view verb;
  absl::string_view path;
  absl::string_view query = "";
  absl::string_view body = "";
  absl::string_view idempotency_key = "";
  absl::string_view last_event_id = "";
};

template <typename Request>
absl::StatusOr<Request> Build(const Call& call) {
  const RouteTable routes(TheApi());
  const auto route = routes.Find(call.verb, call.path);
  if (!route.ok()) return route.status();
  if (route->binding == nullptr) return absl::NotFoundError("no route");
  RequestParts parts;
  parts.path = &route->values;
  parts.query = call.query;
  parts.body = call.body;
  parts.idempotency_key = call.idempotency_key;
  parts.last_event_id = call.last_event_id;
  auto message = BuildRequest(*route->binding, parts);
  if (!message.ok()) return message.status();
  return dynamic_cast<Request&>(**message);
}

template <typename Request>
std::string ErrorOf(const Call& call) {
  return std::string(Build<Request>(call).status().message());
}

TEST(RouteTable, TellsWhichVerbsAPathHas) {
  const RouteTable routes(TheApi());
  EXPECT_THAT(routes.Find("PUT", "/api/v1/jobs")->allowed, ElementsAre("POST", "GET", "HEAD"));
  EXPECT_THAT(routes.Find("GET", "/api/v1/nothing")->allowed, IsEmpty());
  EXPECT_THAT(routes.Find("POST", "/api/v1/jobs/abc:nothing")->allowed, IsEmpty());
  EXPECT_NE(routes.Find("HEAD", "/api/v1/jobs/abc")->binding, nullptr);
}

TEST(RequestBuilder, BodyFieldAndQuery) {
  const auto request =
      Build<api::CreateJobRequest>({"POST", "/api/v1/jobs", "validate_only=true&requestId=a%20b",
                                    R"({"priority": 2, "noop": {}})"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->job().priority(), 2u);
  EXPECT_TRUE(request->job().has_noop());
  EXPECT_TRUE(request->validate_only());
  EXPECT_EQ(request->request_id(), "a b");
}

TEST(RequestBuilder, WholeBodyTakesNoQuery) {
  const auto request = Build<api::BatchCreateJobsRequest>(
      {"POST", "/api/v1/jobs:batch", "", R"({"jobs": [{"noop": {}}, {}], "requestId": "r"})"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->jobs_size(), 2);
  EXPECT_THAT(
      ErrorOf<api::BatchCreateJobsRequest>({"POST", "/api/v1/jobs:batch", "requestId=x", "{}"}),
      HasSubstr("requestId: query parameters are not taken here"));
}

TEST(RequestBuilder, QueryBindsScalarsAndNamesFaults) {
  const auto request = Build<api::ListJobsRequest>(
      {"GET", "/api/v1/jobs", "pageSize=10&filter=state%20%3D+RUNNING&page_token="});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->page_size(), 10);
  EXPECT_EQ(request->filter(), "state = RUNNING");
  const std::string error = ErrorOf<api::ListJobsRequest>(
      {"GET", "/api/v1/jobs", "pageSize=ten&nope=1&filter=a&filter=b"});
  EXPECT_THAT(error, HasSubstr("pageSize: a 32-bit integer is expected, not \"ten\""));
  EXPECT_THAT(error, HasSubstr("nope: unknown query parameter"));
  EXPECT_THAT(error, HasSubstr("filter: given twice"));
}

TEST(RequestBuilder, DottedNamesReachSubMessages) {
  // UpdateLimits takes `limits` from the body; everything else may be dotted.
  EXPECT_THAT(
      ErrorOf<api::UpdateLimitsRequest>({"PATCH", "/api/v1/limits", "limits.limits=1", "{}"}),
      HasSubstr("limits.limits: comes from the body"));
  const auto request =
      Build<api::WaitJobRequest>({"POST", "/api/v1/jobs/a:wait", "", R"({"timeout": "5s"})"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->timeout().seconds(), 5);
  EXPECT_EQ(request->job(), "a");
}

TEST(RequestBuilder, EmptyBodyIsAnEmptyMessage) {
  const auto request = Build<api::CancelJobRequest>({"POST", "/api/v1/jobs/abc:cancel"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->job(), "abc");
}

TEST(RequestBuilder, PathAndBodyMayAgreeButNotDiffer) {
  EXPECT_TRUE(
      Build<api::CancelJobRequest>({"POST", "/api/v1/jobs/abc:cancel", "", R"({"job": "abc"})"})
          .ok());
  EXPECT_THAT(
      ErrorOf<api::CancelJobRequest>({"POST", "/api/v1/jobs/abc:cancel", "", R"({"job": "x"})"}),
      HasSubstr("job: the body names another one than the path"));
}

TEST(RequestBuilder, MaskComesFromTheBodyWhenAbsent) {
  auto request = Build<api::UpdateJobRequest>(
      {"PATCH", "/api/v1/jobs/abc", "", R"({"id": "abc", "priority": 4, "labels": null})"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->job().id(), "abc");
  EXPECT_THAT(request->update_mask().paths(), ElementsAre("priority", "labels"));
  request = Build<api::UpdateJobRequest>({"PATCH", "/api/v1/jobs/abc", "updateMask=priority",
                                          R"({"priority": 4, "labels": {"a": "b"}})"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(request->update_mask().paths(), ElementsAre("priority"));
}

TEST(RequestBuilder, ABodyWhereNoneIsTakenIsRefused) {
  EXPECT_THAT(ErrorOf<api::GetJobRequest>({"GET", "/api/v1/jobs/abc", "", "{}"}),
              HasSubstr("takes no body"));
}

TEST(RequestBuilder, IdempotencyKeyYieldsToTheRequest) {
  const Call with_key{"POST", "/api/v1/jobs", "", "{}", "key"};
  EXPECT_EQ(Build<api::CreateJobRequest>(with_key)->request_id(), "key");
  const Call with_both{"POST", "/api/v1/jobs", "requestId=own", "{}", "key"};
  EXPECT_EQ(Build<api::CreateJobRequest>(with_both)->request_id(), "own");
}

TEST(RequestBuilder, LastEventIdWinsOverTheQuery) {
  const Call call{"GET", "/api/v1/jobs/abc/events", "lastEventId=1.0.0", "", "", "3.1.7"};
  EXPECT_EQ(Build<api::WatchJobRequest>(call)->last_event_id(), "3.1.7");
}

TEST(RequestBuilder, AdditionalBindings) {
  EXPECT_EQ(Build<api::GetModelRequest>({"GET", "/api/v1/models/m/versions/3"})->version(), 3u);
  EXPECT_EQ(Build<api::GetModelRequest>({"GET", "/api/v1/models/m", "version=2"})->version(), 2u);
  EXPECT_THAT(ErrorOf<api::GetModelRequest>({"GET", "/api/v1/models/m/versions/last"}),
              HasSubstr("version: an unsigned 32-bit integer is expected"));
}

TEST(RequestBuilder, RawBodyFieldsTakePathAndQueryOnly) {
  const auto request =
      Build<api::PutArtifactRequest>({"PUT", "/api/v1/artifacts/abc", "media_type=image/png"});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->sha256(), "abc");
  EXPECT_EQ(request->media_type(), "image/png");
}

}  // namespace
}  // namespace switchyard::gateway
