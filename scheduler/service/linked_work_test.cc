// Arrays, pipelines and schedules over real gRPC: what of them is seen and changed from outside.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "scheduler/service/testing/scheduler_fixture.h"
#include "switchyard/v1/array_service.grpc.pb.h"
#include "switchyard/v1/pipeline_service.grpc.pb.h"
#include "switchyard/v1/schedule_service.grpc.pb.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kRadio[] = "radio-secret-0123456789";

class LinkedWorkTest : public SchedulerFixture {
 protected:
  void SetUp() override { Begin(); }
  void Begin() {
    StopScheduler();
    StartScheduler();
    arrays_ = v1::ArrayService::NewStub(channel());
    pipelines_ = v1::PipelineService::NewStub(channel());
    schedules_ = v1::ScheduleService::NewStub(channel());
  }
  void AddKey(uint32_t highest_priority) {
    config::v1::Key* key = config().add_keys();
    key->set_id("radio");
    key->set_token(kRadio);
    key->set_tenant("radio");
    key->set_highest_priority(highest_priority);
    Begin();
  }

  // By a method of a stub that must succeed; with `token` unless it is empty.
  template <typename Stub, typename Request, typename Response>
  Response Call(Stub& stub,
                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request, const std::string& token = "") {
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  v1::Array Array(uint32_t count, uint32_t width) {
    v1::CreateArrayRequest request;
    request.mutable_array()->mutable_job()->mutable_noop()->set_payload("x");
    request.mutable_array()->set_count(count);
    request.mutable_array()->set_width(width);
    return Call(*arrays_, &v1::ArrayService::Stub::CreateArray, request);
  }
  v1::Array SetWidth(const std::string& id, uint32_t width) {
    v1::UpdateArrayRequest request;
    request.mutable_array()->set_id(id);
    request.mutable_array()->set_width(width);
    return Call(*arrays_, &v1::ArrayService::Stub::UpdateArray, request);
  }
  // Two steps of noops, the second after the first and fanned out.
  v1::Pipeline TwoSteps(const std::string& token = "") {
    v1::CreatePipelineRequest request;
    v1::PipelineStep* first = request.mutable_pipeline()->add_steps();
    first->set_name("first");
    first->mutable_job()->mutable_noop()->set_payload("x");
    v1::PipelineStep* second = request.mutable_pipeline()->add_steps();
    second->set_name("second");
    second->mutable_job()->mutable_noop()->set_payload("y");
    second->add_after("first");
    return Call(*pipelines_, &v1::PipelineService::Stub::CreatePipeline, request, token);
  }
  std::vector<std::string> List(const std::string& filter, int page_size = 0) {
    std::vector<std::string> ids;
    v1::ListJobsRequest request;
    request.set_filter(filter);
    request.set_page_size(page_size);
    do {
      const v1::ListJobsResponse page = Call(jobs(), &v1::JobService::Stub::ListJobs, request);
      for (const v1::Job& job : page.jobs()) ids.push_back(job.id());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return ids;
  }

  std::unique_ptr<v1::ArrayService::Stub> arrays_;
  std::unique_ptr<v1::PipelineService::Stub> pipelines_;
  std::unique_ptr<v1::ScheduleService::Stub> schedules_;
};

TEST_F(LinkedWorkTest, JobsAreListedByTheirArray) {
  const std::string before = Create(Noop()).id();
  const v1::Array array = Array(5, 2);
  const std::string after = Create(Noop()).id();
  const std::vector<std::string> ids = List("array = " + array.id(), 2);
  ASSERT_THAT(ids, SizeIs(5));
  EXPECT_EQ(ids.back(), array.id());
  EXPECT_THAT(ids, ::testing::Not(::testing::Contains(::testing::AnyOf(before, after))));
  EXPECT_THAT(List("array = " + array.id() + " AND state = FAILED"), ElementsAre());
  grpc::ClientContext context;
  v1::ListJobsRequest request;
  v1::ListJobsResponse response;
  request.set_filter("array = " + before);
  EXPECT_EQ(jobs().ListJobs(&context, request, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(LinkedWorkTest, JobsAreListedByTheirPipeline) {
  Create(Noop());
  const v1::Pipeline pipeline = TwoSteps();
  Create(Noop());
  EXPECT_THAT(
      List("pipeline = " + pipeline.id(), 1),
      ElementsAre(pipeline.steps(1).status().first_job(), pipeline.steps(0).status().first_job()));
  EXPECT_THAT(List("pipeline = " + pipeline.id() + " AND state = QUEUED"),
              ElementsAre(pipeline.steps(0).status().first_job()));
}

TEST_F(LinkedWorkTest, TheWidthOfAnArrayIsChangedWhileItRunsAndStaysOverARestart) {
  const v1::Array array = Array(6, 1);
  EXPECT_EQ(SetWidth(array.id(), 2).width(), 2u);
  Begin();
  v1::GetArrayRequest get;
  get.set_array(array.id());
  EXPECT_EQ(Call(*arrays_, &v1::ArrayService::Stub::GetArray, get).width(), 2u);
  v1::ExplainJobRequest explain;
  explain.set_job(List("array = " + array.id()).front());
  FakeWorkerOptions options;
  options.finish_at_once = false;
  const auto worker = AttachWorker(options);
  v1::Explanation explanation;
  for (int i = 0; i < 500 && explanation.reason() != v1::Job::ARRAY_WIDTH; ++i) {
    explanation = Call(jobs(), &v1::JobService::Stub::ExplainJob, explain);
    absl::SleepFor(absl::Milliseconds(10));
  }
  ASSERT_THAT(explanation.quotas(), SizeIs(1)) << explanation.DebugString();
  EXPECT_EQ(explanation.quotas(0).limit(), 2);
  EXPECT_EQ(explanation.quotas(0).used(), 2);
  SetWidth(array.id(), 0);
  explanation = Call(jobs(), &v1::JobService::Stub::ExplainJob, explain);
  EXPECT_NE(explanation.reason(), v1::Job::ARRAY_WIDTH);
}

TEST_F(LinkedWorkTest, AStepThatStatesNoPriorityGetsTheMostUrgentItsKeyMayUse) {
  AddKey(/*highest_priority=*/7);
  const v1::Pipeline pipeline = TwoSteps(kRadio);
  EXPECT_EQ(pipeline.steps(0).job().priority(), 7u);
  EXPECT_EQ(pipeline.steps(1).job().priority(), 7u);
}

TEST_F(LinkedWorkTest, AScheduleStopsWhenTheKeyThatMadeItIsGone) {
  AddKey(/*highest_priority=*/5);
  v1::CreateScheduleRequest request;
  request.mutable_schedule()->set_name("often");
  request.mutable_schedule()->set_cron("@every 1s");
  request.mutable_schedule()->mutable_job()->mutable_noop()->set_payload("x");
  Call(*schedules_, &v1::ScheduleService::Stub::CreateSchedule, request, kRadio);
  config().mutable_keys(0)->set_id("other");
  Begin();
  v1::GetScheduleRequest get;
  get.set_schedule("often");
  v1::Schedule schedule;
  for (int i = 0; i < 1000 && schedule.skipped() == 0; ++i) {
    schedule = Call(*schedules_, &v1::ScheduleService::Stub::GetSchedule, get, kRadio);
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_GT(schedule.skipped(), 0u);
  EXPECT_THAT(schedule.message(), HasSubstr("the key `radio` that made it is gone"));
}

}  // namespace
}  // namespace switchyard::scheduler
