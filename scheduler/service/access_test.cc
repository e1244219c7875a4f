// Keys, scopes and the admin API over real gRPC.
#include <string>

#include "gmock/gmock.h"
#include "scheduler/service/testing/scheduler_fixture.h"
#include "switchyard/v1/admin_service.grpc.pb.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kRadio[] = "radio-secret-0123456789";
constexpr char kVision[] = "vision-secret-0123456789";
constexpr char kOps[] = "ops-secret-0123456789";

void Show(grpc::ClientContext& context, const std::string& token) {
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
}

class AccessTest : public SchedulerFixture {
 protected:
  AccessTest() {
    AddKey("radio", kRadio, 1, "jobs");
    AddKey("vision", kVision, 5, "jobs");
    AddKey("ops", kOps, 3, "admin");
    config::v1::Tenant* tenant = config().add_tenants();
    tenant->set_name("radio");
    tenant->set_weight(3);
    Restart();
  }

  void AddKey(const std::string& id, const char* token, uint32_t highest, const char* scope) {
    config::v1::Key* key = config().add_keys();
    key->set_id(id);
    key->set_token(token);
    key->set_tenant(id);
    key->set_highest_priority(highest);
    key->add_scopes(scope);
  }
  void Restart() {
    StopScheduler();
    StartScheduler();
    admin_ = v1::AdminService::NewStub(channel());
  }

  grpc::Status CreateAs(const std::string& token, uint32_t priority, v1::Job* job) {
    grpc::ClientContext context;
    Show(context, token);
    v1::CreateJobRequest request = Noop();
    request.mutable_job()->set_priority(priority);
    return jobs().CreateJob(&context, request, job);
  }
  grpc::Status GetAs(const std::string& token, const std::string& id, v1::Job* job) {
    grpc::ClientContext context;
    Show(context, token);
    v1::GetJobRequest request;
    request.set_job(id);
    return jobs().GetJob(&context, request, job);
  }
  template <typename Request, typename Response>
  grpc::Status Admin(grpc::Status (v1::AdminService::Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                     const Request& request, Response* response, const std::string& token = kOps) {
    grpc::ClientContext context;
    Show(context, token);
    return (admin_.get()->*method)(&context, request, response);
  }

  std::unique_ptr<v1::AdminService::Stub> admin_;
};

TEST_F(AccessTest, TenantsSeeTheirOwnJobsOnlyAndNeverBeyondTheirPriority) {
  v1::Job radio, vision, seen;
  ASSERT_TRUE(CreateAs(kRadio, 1, &radio).ok());
  EXPECT_EQ(radio.tenant(), "radio");
  EXPECT_EQ(CreateAs(kVision, 1, &vision).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(CreateAs(kVision, 5, &vision).ok());
  // One that states none is not refused for its kind's.
  ASSERT_TRUE(CreateAs(kVision, 0, &vision).ok());
  EXPECT_EQ(vision.priority(), 5u);
  EXPECT_TRUE(GetAs(kRadio, radio.id(), &seen).ok());
  EXPECT_EQ(GetAs(kVision, radio.id(), &seen).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(GetAs("", radio.id(), &seen).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(GetAs("nobody-knows-this-one", radio.id(), &seen).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  // A key without `jobs` cannot look either.
  EXPECT_EQ(GetAs(kOps, radio.id(), &seen).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AccessTest, StreamsAreRefusedToUnknownTokens) {
  grpc::ClientContext context;
  Show(context, "nobody-knows-this-one");
  v1::WatchJobRequest request;
  request.set_job("0000000000001");
  auto stream = jobs().WatchJob(&context, request);
  v1::JobEvent event;
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AccessTest, OnlyAdminsTurnAnything) {
  v1::ListTenantsResponse tenants;
  for (const char* token : {"", kRadio}) {
    EXPECT_EQ(Admin(&v1::AdminService::Stub::ListTenants, v1::ListTenantsRequest(), &tenants, token)
                  .error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
    grpc::ClientContext context;
    Show(context, token);
    v1::UpdateLimitsRequest limits;
    limits.mutable_limits()->add_limits()->set_job_class(v1::TRAINING);
    v1::Limits response;
    EXPECT_EQ(fleet().UpdateLimits(&context, limits, &response).error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
  ASSERT_TRUE(Admin(&v1::AdminService::Stub::ListTenants, v1::ListTenantsRequest(), &tenants).ok());
  ASSERT_THAT(tenants.tenants(), SizeIs(4));
  EXPECT_EQ(tenants.tenants(0).name(), "default");
  EXPECT_EQ(tenants.tenants(2).name(), "radio");
  EXPECT_EQ(tenants.tenants(2).weight(), 3u);
}

TEST_F(AccessTest, ChangedWeightsAndQuotasHoldOverARestart) {
  v1::UpdateTenantRequest request;
  request.mutable_tenant()->set_name("radio");
  request.mutable_tenant()->set_weight(7);
  request.mutable_tenant()->set_max_queued(2);
  v1::Tenant tenant;
  ASSERT_TRUE(Admin(&v1::AdminService::Stub::UpdateTenant, request, &tenant).ok());
  EXPECT_EQ(tenant.weight(), 7u);
  v1::Job job;
  EXPECT_TRUE(CreateAs(kRadio, 3, &job).ok());
  EXPECT_TRUE(CreateAs(kRadio, 3, &job).ok());
  EXPECT_EQ(CreateAs(kRadio, 3, &job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  Restart();
  v1::GetTenantRequest get;
  get.set_tenant("radio");
  ASSERT_TRUE(Admin(&v1::AdminService::Stub::GetTenant, get, &tenant).ok());
  EXPECT_EQ(tenant.weight(), 7u);
  EXPECT_EQ(tenant.max_queued(), 2u);
  EXPECT_EQ(tenant.usage().queued(), 2u);
  EXPECT_EQ(CreateAs(kRadio, 3, &job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  get.set_tenant("nobody");
  EXPECT_EQ(Admin(&v1::AdminService::Stub::GetTenant, get, &tenant).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(AccessTest, ChangedLimitsOfAKeyCountAtOnceAndOverARestart) {
  v1::UpdateKeyRequest request;
  request.mutable_key()->set_id("vision");
  request.mutable_key()->set_highest_priority(2);
  request.mutable_key()->set_rate_per_second(0.001);
  request.mutable_key()->set_burst(1);
  v1::Key key;
  const grpc::Status changed = Admin(&v1::AdminService::Stub::UpdateKey, request, &key);
  ASSERT_TRUE(changed.ok()) << changed.error_message();
  EXPECT_EQ(key.highest_priority(), 2u);
  v1::Job job;
  EXPECT_TRUE(CreateAs(kVision, 2, &job).ok());
  EXPECT_EQ(CreateAs(kVision, 2, &job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  Restart();
  EXPECT_TRUE(CreateAs(kVision, 2, &job).ok());
  EXPECT_EQ(CreateAs(kVision, 2, &job).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  v1::ListKeysResponse keys;
  ASSERT_TRUE(Admin(&v1::AdminService::Stub::ListKeys, v1::ListKeysRequest(), &keys).ok());
  ASSERT_THAT(keys.keys(), SizeIs(3));
  EXPECT_EQ(keys.keys(2).refused(), 1u);
  for (const char* token : {kRadio, kVision, kOps})
    EXPECT_EQ(keys.SerializeAsString().find(token), std::string::npos);
}

TEST_F(AccessTest, APauseHoldsOverARestartUntilItIsTakenBack) {
  v1::PauseQueueRequest pause;
  pause.set_tenant("radio");
  pause.set_kind("noop");
  v1::ListPausesResponse pauses;
  const grpc::Status paused = Admin(&v1::AdminService::Stub::PauseQueue, pause, &pauses);
  ASSERT_TRUE(paused.ok()) << paused.error_message();
  ASSERT_THAT(pauses.pauses(), SizeIs(1));
  EXPECT_EQ(pauses.pauses(0).kind(), "noop");
  v1::Job job;
  ASSERT_TRUE(CreateAs(kRadio, 3, &job).ok());
  Restart();
  const auto worker = AttachWorker();
  v1::Job other, seen;
  ASSERT_TRUE(CreateAs(kVision, 5, &other).ok());
  {
    grpc::ClientContext context;
    Show(context, kVision);
    v1::WaitJobRequest wait;
    wait.set_job(other.id());
    ASSERT_TRUE(jobs().WaitJob(&context, wait, &seen).ok());
    EXPECT_EQ(seen.state(), v1::Job::SUCCEEDED);
  }
  grpc::ClientContext asked;
  Show(asked, kRadio);
  v1::ExplainJobRequest ask;
  ask.set_job(job.id());
  v1::Explanation explanation;
  ASSERT_TRUE(jobs().ExplainJob(&asked, ask, &explanation).ok());
  EXPECT_EQ(explanation.reason(), v1::Job::PAUSED);
  EXPECT_EQ(explanation.paused_by(), "tenant=radio kind=noop");
  v1::ResumeQueueRequest resume;
  resume.set_tenant("radio");
  resume.set_kind("noop");
  ASSERT_TRUE(Admin(&v1::AdminService::Stub::ResumeQueue, resume, &pauses).ok());
  grpc::ClientContext context;
  Show(context, kRadio);
  v1::WaitJobRequest wait;
  wait.set_job(job.id());
  ASSERT_TRUE(jobs().WaitJob(&context, wait, &seen).ok());
  EXPECT_EQ(seen.state(), v1::Job::SUCCEEDED);
}

TEST_F(AccessTest, ACordonedWorkerGetsNothingNew) {
  const auto worker = AttachWorker();
  v1::CordonWorkerRequest cordon;
  cordon.set_worker("worker-1");
  v1::Worker changed;
  // The fleet's snapshot, which the answer is read from, is renewed ten times a second.
  grpc::Status status;
  for (int i = 0; i < 200; ++i) {
    status = Admin(&v1::AdminService::Stub::CordonWorker, cordon, &changed);
    if (status.error_code() != grpc::StatusCode::NOT_FOUND) break;
    absl::SleepFor(absl::Milliseconds(20));
  }
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(changed.cordoned());
  v1::Job job, seen;
  ASSERT_TRUE(CreateAs(kRadio, 3, &job).ok());
  grpc::ClientContext asked;
  Show(asked, kRadio);
  v1::ExplainJobRequest ask;
  ask.set_job(job.id());
  v1::Explanation explanation;
  ASSERT_TRUE(jobs().ExplainJob(&asked, ask, &explanation).ok());
  EXPECT_EQ(explanation.reason(), v1::Job::CORDONED);
  ASSERT_THAT(explanation.workers(), SizeIs(1));
  v1::UncordonWorkerRequest uncordon;
  uncordon.set_worker("worker-1");
  ASSERT_TRUE(Admin(&v1::AdminService::Stub::UncordonWorker, uncordon, &changed).ok());
  grpc::ClientContext context;
  Show(context, kRadio);
  v1::WaitJobRequest wait;
  wait.set_job(job.id());
  ASSERT_TRUE(jobs().WaitJob(&context, wait, &seen).ok());
  EXPECT_EQ(seen.state(), v1::Job::SUCCEEDED);
  cordon.set_worker("nobody");
  EXPECT_EQ(Admin(&v1::AdminService::Stub::CordonWorker, cordon, &changed).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace switchyard::scheduler
