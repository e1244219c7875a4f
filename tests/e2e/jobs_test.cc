// Jobs through the gateway's two doors, against real processes.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/e2e/http_client.h"

namespace switchyard::e2e {
namespace {

using ::testing::HasSubstr;

// One installation for all tests of this file: starting one takes a second.
class Jobs : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    fleet_ = new Fleet;
    fleet_->Start();
  }
  static void TearDownTestSuite() {
    delete fleet_;
    fleet_ = nullptr;
  }
  // The id in a job's JSON.
  static std::string IdIn(const std::string& json) {
    const size_t at = json.find("\"id\":\"");
    return at == std::string::npos ? "" : json.substr(at + 6, 13);
  }
  static HttpReply Post(const std::string& target, const std::string& body,
                        const std::map<std::string, std::string>& headers = {}) {
    return Http(fleet_->http(), "POST", target, body, headers);
  }
  static HttpReply Get(const std::string& target) { return Http(fleet_->http(), "GET", target); }

  static Fleet* fleet_;
};

Fleet* Jobs::fleet_ = nullptr;

TEST_F(Jobs, ANoopGoesThroughARealRunnerAndItsBytesComeBack) {
  const HttpReply created =
      Post("/api/v1/jobs", R"({"priority": 3, "noop": {"payload": "aGVsbG8="}})");
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string id = IdIn(created.body);
  const HttpReply ended = Post("/api/v1/jobs/" + id + ":wait", R"({"timeout": "30s"})");
  ASSERT_EQ(ended.status, 200) << ended.body;
  EXPECT_THAT(ended.body, HasSubstr("\"SUCCEEDED\""));
  EXPECT_THAT(ended.body, HasSubstr("aGVsbG8="));
  const v1::Job job = fleet_->Get(id);
  EXPECT_EQ(job.noop_result().payload(), "hello");
  ASSERT_EQ(job.attempts_size(), 1);
  EXPECT_EQ(job.attempts(0).device(), "cpu");
  EXPECT_FALSE(job.attempts(0).device_name().empty());
  EXPECT_TRUE(job.timings().has_queued());
  EXPECT_TRUE(job.timings().has_run());
}

TEST_F(Jobs, ARepeatWithTheSameIdempotencyKeyGivesTheFirstAnswer) {
  const std::map<std::string, std::string> key = {{"Idempotency-Key", "e2e-1"}};
  const HttpReply first = Post("/api/v1/jobs", R"({"noop": {"payload": "YQ=="}})", key);
  const HttpReply again = Post("/api/v1/jobs", R"({"noop": {"payload": "YQ=="}})", key);
  EXPECT_EQ(IdIn(first.body), IdIn(again.body));
  const HttpReply other = Post("/api/v1/jobs", R"({"noop": {"payload": "Yg=="}})", key);
  EXPECT_EQ(other.status, 409) << other.body;
}

TEST_F(Jobs, CancelEndsQueuedAndRunningWorkWithinASecond) {
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(fleet_->Submit(Noop("x", absl::Minutes(10))).id());
  ASSERT_TRUE(fleet_->WaitForState(ids[0], v1::Job::RUNNING));
  for (const std::string& id : ids) {
    const absl::Time asked = absl::Now();
    EXPECT_EQ(Post("/api/v1/jobs/" + id + ":cancel", "{}").status, 200);
    ASSERT_TRUE(fleet_->WaitForState(id, v1::Job::CANCELLED, absl::Seconds(10)));
    EXPECT_LT(absl::Now() - asked, absl::Seconds(1.5)) << id;
  }
  EXPECT_EQ(fleet_->WaitEnded(fleet_->Submit(Noop("after")).id()).state(), v1::Job::SUCCEEDED);
}

TEST_F(Jobs, OnlyEndedJobsAreDeletedAndOnlyFailedOnesRetried) {
  const std::string id = fleet_->Submit(Noop("x", absl::Minutes(10))).id();
  EXPECT_EQ(Http(fleet_->http(), "DELETE", "/api/v1/jobs/" + id).status, 400);
  EXPECT_EQ(Post("/api/v1/jobs/" + id + ":retry", "{}").status, 400);
  Post("/api/v1/jobs/" + id + ":cancel", "{}");
  fleet_->WaitEnded(id);
  EXPECT_EQ(Post("/api/v1/jobs/" + id + ":retry", "{}").status, 200);
  Post("/api/v1/jobs/" + id + ":cancel", "{}");
  fleet_->WaitEnded(id);
  EXPECT_EQ(Http(fleet_->http(), "DELETE", "/api/v1/jobs/" + id).status, 200);
  EXPECT_EQ(Get("/api/v1/jobs/" + id).status, 404);
}

TEST_F(Jobs, AFailedJobCanBeRetried) {
  v1::Job failing = Noop("x");
  failing.mutable_noop()->set_fail_with("on purpose");
  const v1::Job failed = fleet_->WaitEnded(fleet_->Submit(failing).id());
  EXPECT_EQ(failed.state(), v1::Job::FAILED);
  EXPECT_THAT(failed.error().message(), HasSubstr("on purpose"));
  EXPECT_EQ(Post("/api/v1/jobs/" + failed.id() + ":retry", "{}").status, 200);
  const v1::Job again = fleet_->WaitEnded(failed.id());
  EXPECT_GT(again.attempts_size(), failed.attempts_size());
}

TEST_F(Jobs, EventsAreServerSentAndResumeByTheirId) {
  const std::string id = fleet_->Submit(Noop("x")).id();
  fleet_->WaitEnded(id);
  const HttpReply all = Http(fleet_->http(), "GET", "/api/v1/jobs/" + id + "/events", "",
                             {{"Accept", "text/event-stream"}});
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_THAT(all.headers.at("content-type"), HasSubstr("text/event-stream"));
  EXPECT_THAT(all.body, HasSubstr("event: state"));
  EXPECT_THAT(all.body, HasSubstr("QUEUED"));
  EXPECT_THAT(all.body, HasSubstr("SUCCEEDED"));
  const size_t first_id = all.body.find("id: ");
  const std::string event_id =
      all.body.substr(first_id + 4, all.body.find('\n', first_id) - first_id - 4);
  const HttpReply rest = Http(fleet_->http(), "GET", "/api/v1/jobs/" + id + "/events", "",
                              {{"Accept", "text/event-stream"}, {"Last-Event-ID", event_id}});
  EXPECT_LT(rest.body.size(), all.body.size());
  EXPECT_THAT(rest.body, HasSubstr("SUCCEEDED"));
}

TEST_F(Jobs, BadInputIsNamed) {
  struct Case {
    const char* body;
    int status;
    const char* names;
  } cases[] = {
      {R"({"noop": {)", 400, ""},
      {R"({"nop": {}})", 400, "nop"},
      {R"({"priority": "high", "noop": {}})", 400, "priority"},
      {R"({"priority": 12, "noop": {}})", 400, "priority"},
      {R"({"priority": 3})", 400, "kind"},
      {R"({"device": "cuda:7", "noop": {}})", 400, "cuda:7"},
      {R"({"device": "tpu", "noop": {}})", 400, "device"},
      {R"({"predict": {"model": "nosuch", "data": "aGk="}})", 404, "nosuch"},
      {R"({"train": {"save_as": "m"}})", 400, "train"},
      {R"({"train": {"save_as": "Bad Name", "train": {"path": "/x"}}})", 400, "save_as"},
      {R"({"train": {"save_as": "m", "train": {"path": "../etc"}}})", 400, "path"},
      {R"({"train": {"save_as": "m", "epochs": 0, "learning_rate": -1, "train": {"path": "/x"}}})",
       400, "learning_rate"},
  };
  for (const Case& c : cases) {
    const HttpReply reply = Post("/api/v1/jobs", c.body);
    EXPECT_EQ(reply.status, c.status) << c.body << "\n" << reply.body;
    EXPECT_THAT(reply.headers.at("content-type"), HasSubstr("application/problem+json")) << c.body;
    EXPECT_THAT(reply.body, HasSubstr(c.names)) << c.body;
  }
  EXPECT_EQ(Get("/api/v1/jobs/0000000000001").status, 404);
  EXPECT_EQ(Get("/api/v1/nosuch").status, 404);
}

TEST_F(Jobs, ListsByFilterAndPages) {
  for (int i = 0; i < 5; ++i) fleet_->WaitEnded(fleet_->Submit(Noop("x")).id());
  const HttpReply page = Get("/api/v1/jobs?page_size=2&filter=state%20%3D%20SUCCEEDED");
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_THAT(page.body, HasSubstr("nextPageToken"));
  EXPECT_EQ(Get("/api/v1/jobs?page_size=-1").status, 400);
  EXPECT_EQ(Get("/api/v1/jobs?filter=nonsense").status, 400);
}

TEST_F(Jobs, LimitsChangeAtOnceAndForGood) {
  const auto set_limit = [&](int limit) {
    return Http(
        fleet_->http(), "PATCH", "/api/v1/limits",
        absl::StrCat(R"({"limits": [{"device": "cpu", "jobClass": "INFERENCE", "maxRunning": )",
                     limit, "}]}"));
  };
  ASSERT_EQ(set_limit(0).status, 200) << set_limit(0).body;
  const std::string id = fleet_->Submit(Noop("x")).id();
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_EQ(fleet_->Get(id).state(), v1::Job::QUEUED);
  EXPECT_EQ(fleet_->Get(id).reason(), v1::Job::LIMIT);
  EXPECT_EQ(set_limit(4).status, 200);
  EXPECT_EQ(fleet_->WaitEnded(id).state(), v1::Job::SUCCEEDED);
}

TEST_F(Jobs, EveryDoorAnswersHealthAndMetrics) {
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_THAT(Get("/metrics").body, HasSubstr("# TYPE"));
  EXPECT_THAT(Get("/openapi.json").body, HasSubstr("/api/v1/jobs/{job}"));
  EXPECT_THAT(Get("/api/v1/devices").body, HasSubstr("\"cpu\""));
  EXPECT_THAT(Get("/api/v1/workers").body, HasSubstr("\"w1\""));
}

TEST_F(Jobs, ArtifactsGoUpAndDownWithTheirHashChecked) {
  const std::string bytes = "some bytes";
  const std::string hash = "6fc81a4e49bfe88b59b15e93c5c56d1cb3cbe4d52bf2f1ad0a5f0b5f6d1f8b7c";
  // A wrong hash is refused and nothing is kept.
  EXPECT_EQ(Http(fleet_->http(), "PUT", "/api/v1/artifacts/" + hash, bytes,
                 {{"Content-Type", "application/octet-stream"}})
                .status,
            400);
  EXPECT_EQ(Get("/api/v1/artifacts/" + hash).status, 404);
  const std::string right =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // Of "abc".
  const HttpReply put = Http(fleet_->http(), "PUT", "/api/v1/artifacts/" + right, "abc",
                             {{"Content-Type", "application/octet-stream"}});
  EXPECT_EQ(put.status, 201) << put.body;
  const HttpReply got = Get("/api/v1/artifacts/" + right);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "abc");
}

TEST_F(Jobs, ABrowserOfAnotherOriginIsRefused) {
  EXPECT_EQ(Post("/api/v1/jobs", R"({"noop": {}})", {{"Origin", "http://evil.example"}}).status,
            403);
  EXPECT_EQ(Post("/api/v1/jobs", R"({"noop": {}})", {{"Sec-Fetch-Site", "cross-site"}}).status,
            403);
  EXPECT_EQ(Post("/api/v1/jobs", R"({"noop": {}})", {{"Host", "evil.example"}}).status, 403);
}

}  // namespace
}  // namespace switchyard::e2e
