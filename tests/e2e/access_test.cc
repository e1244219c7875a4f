// What a team needs of one installation: keys, pauses, cordons, explanations, dead letters, through
// the command line and both doors, with the real processes behind them.
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/e2e/http_client.h"
#include "tests/e2e/up_fixture.h"

namespace switchyard::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kRadio[] = "radio-secret-0123456789";
constexpr char kVision[] = "vision-secret-0123456789";
constexpr char kOps[] = "ops-secret-0123456789";
constexpr char kUnknown[] = "nobody-knows-this-one";

class AccessTest : public UpTest {
 protected:
  void WriteKeys() {
    std::filesystem::create_directories(data());
    std::ofstream(data() + "/scheduler.textproto")
        << "keys { id: 'radio' token: '" << kRadio << "' tenant: 'radio' highest_priority: 1 }\n"
        << "keys { id: 'vision' token: '" << kVision << "' tenant: 'vision' highest_priority: 5 }\n"
        << "keys { id: 'ops' token: '" << kOps << "' tenant: 'ops' scopes: 'admin' }\n"
        << "tenants { name: 'radio' weight: 3 }\n";
  }

  // Submits a noop and gives its id.
  std::string Submit(const std::string& token, const std::string& job) {
    const Output submitted = CliAs(token, "submit '" + job + "' --detach");
    EXPECT_EQ(submitted.exit_code, 0) << submitted.text;
    return submitted.text.substr(0, submitted.text.find('\n'));
  }
};

TEST_F(AccessTest, TwoKeysHaveTheirTenantsPrioritiesAndRates) {
  WriteKeys();
  StartUp();
  // Secrets are the owner's alone.
  const auto mode = std::filesystem::status(data() + "/conf/scheduler.textproto").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  const std::string urgent = Submit(kRadio, R"({"priority": 1, "noop": {}})");
  const Output too_urgent = CliAs(kVision, R"(submit '{"priority": 1, "noop": {}}' --detach)");
  EXPECT_EQ(too_urgent.exit_code, 5) << too_urgent.text;
  EXPECT_THAT(too_urgent.text, HasSubstr("more urgent than this caller may ask for"));
  EXPECT_EQ(CliAs(kRadio, "wait " + urgent + " --timeout 20s").exit_code, 0);
  EXPECT_EQ(CliAs(kVision, "show " + urgent).exit_code, 4);
  const Output wrong = CliAs(kUnknown, "jobs");
  EXPECT_EQ(wrong.exit_code, 5);
  EXPECT_THAT(wrong.text, HasSubstr("token is not known"));

  const HttpReply refused = Http(http_, "GET", "/api/v1/jobs/" + urgent + "/events", "",
                                 {{"Authorization", absl::StrCat("Bearer ", kUnknown)}});
  EXPECT_EQ(refused.status, 401) << refused.body;
  EXPECT_EQ(refused.headers.at("www-authenticate"), "Bearer");
  const HttpReply events = Http(http_, "GET", "/api/v1/jobs/" + urgent + "/events", "",
                                {{"Authorization", absl::StrCat("Bearer ", kRadio)}});
  EXPECT_EQ(events.status, 200);
  EXPECT_THAT(events.body, HasSubstr("SUCCEEDED"));
  EXPECT_EQ(Http(http_, "GET", "/api/v1/jobs/" + urgent).status, 404);

  // The rate is set while the key is in use, and holds back this key only.
  EXPECT_EQ(CliAs(kVision, "keys set vision --rate 5").exit_code, 5);
  EXPECT_EQ(CliAs(kOps, "keys set vision --rate 0.001 --burst 1").exit_code, 0);
  EXPECT_EQ(CliAs(kVision, "jobs").exit_code, 0);
  const HttpReply fast =
      Http(http_, "GET", "/api/v1/jobs", "", {{"Authorization", absl::StrCat("Bearer ", kVision)}});
  EXPECT_EQ(fast.status, 429) << fast.body;
  EXPECT_THAT(fast.body, HasSubstr("RATE_LIMITED"));
  EXPECT_NE(fast.headers.at("retry-after"), "0");
  EXPECT_EQ(CliAs(kRadio, "jobs").exit_code, 0);
  const Output keys = CliAs(kOps, "keys");
  EXPECT_THAT(keys.text, HasSubstr("0.001/s"));
  EXPECT_THAT(keys.text, Not(HasSubstr(kVision)));
}

TEST_F(AccessTest, WeightsAreSeenAndChangedAndHoldOverARestart) {
  WriteKeys();
  StartUp();
  Output tenants = CliAs(kOps, "tenants --json");
  ASSERT_EQ(tenants.exit_code, 0) << tenants.text;
  EXPECT_THAT(tenants.text, HasSubstr("\"weight\": 3"));
  EXPECT_EQ(CliAs(kOps, "tenants set vision --weight 17 --max-queued 1").exit_code, 0);
  StopUp();
  StartUp();
  EXPECT_THAT(CliAs(kOps, "tenants").text, HasSubstr("17"));
  EXPECT_EQ(CliAs(kOps, "queue pause").exit_code, 0);
  Submit(kVision, R"({"noop": {}})");
  const Output full = CliAs(kVision, R"(submit '{"noop": {}}' --detach)");
  EXPECT_EQ(full.exit_code, 5) << full.text;
  EXPECT_THAT(full.text, HasSubstr("tenant `vision`"));
}

TEST_F(AccessTest, APauseHoldsOverARestart) {
  StartUp();
  ASSERT_EQ(Cli("queue pause --kind noop").exit_code, 0);
  const std::string id = Submit("", R"({"noop": {}})");
  Output why = Cli("why " + id);
  EXPECT_EQ(why.exit_code, 0);
  EXPECT_THAT(why.text, HasSubstr("QUEUED (paused)"));
  EXPECT_THAT(why.text, HasSubstr("kind=noop"));
  StopUp();
  StartUp();
  EXPECT_THAT(Cli("queue").text, HasSubstr("paused: kind=noop"));
  EXPECT_THAT(Cli("why " + id).text, HasSubstr("QUEUED (paused)"));
  EXPECT_EQ(Cli("queue resume --kind noop").exit_code, 0);
  EXPECT_EQ(Cli("wait " + id + " --timeout 20s").exit_code, 0);
}

TEST_F(AccessTest, ACordonedWorkerGetsNothingNewUntilItIsUncordoned) {
  StartUp();
  ASSERT_EQ(Cli("workers cordon cpu-0").exit_code, 0);
  EXPECT_THAT(Cli("workers").text, HasSubstr("cordoned"));
  const std::string id = Submit("", R"({"noop": {}})");
  const Output why = Cli("why " + id);
  EXPECT_THAT(why.text, HasSubstr("cordoned"));
  EXPECT_THAT(why.text, HasSubstr("cpu-0"));
  EXPECT_EQ(Cli("workers uncordon cpu-0").exit_code, 0);
  EXPECT_EQ(Cli("wait " + id + " --timeout 20s").exit_code, 0);
  EXPECT_EQ(Cli("workers cordon nobody").exit_code, 4);
}

TEST_F(AccessTest, WhyTellsTheNumbersOfABlockedJob) {
  StartUp();
  ASSERT_EQ(Cli("limits set inference --max 0").exit_code, 0);
  const std::string first = Submit("", R"({"noop": {}})");
  const std::string second = Submit("", R"({"noop": {}})");
  const Output why = Cli("why " + second);
  EXPECT_EQ(why.exit_code, 0) << why.text;
  EXPECT_THAT(why.text, HasSubstr("QUEUED (limit)"));
  EXPECT_THAT(why.text, HasSubstr("cpu of cpu-0 runs 0 of 0"));
  EXPECT_THAT(why.text, HasSubstr("2 of 2 that wait for the same devices"));
  const HttpReply explained = Http(http_, "GET", "/api/v1/jobs/" + second + ":explain");
  EXPECT_EQ(explained.status, 200) << explained.body;
  EXPECT_THAT(explained.body, HasSubstr("\"reason\":\"LIMIT\""));
  EXPECT_THAT(explained.body, HasSubstr("\"position\":\"2\""));
  EXPECT_EQ(Cli("limits set inference --max 2").exit_code, 0);
  EXPECT_EQ(Cli("wait " + second + " --timeout 20s").exit_code, 0);
  EXPECT_EQ(Cli("why 0000000000001").exit_code, 4);
}

TEST_F(AccessTest, FailedJobsAreRetriedAndDiscardedInBulk) {
  StartUp();
  for (int i = 0; i < 5; ++i) {
    const std::string id = Submit("", R"({"noop": {"failWith": "the data is bad"}})");
    EXPECT_EQ(Cli("wait " + id + " --timeout 20s").exit_code, 1);
  }
  Output failed = Cli("failed");
  EXPECT_EQ(failed.exit_code, 0);
  EXPECT_THAT(failed.text, HasSubstr("5  noop  WORK_FAILED"));
  EXPECT_THAT(failed.text, HasSubstr("the data is bad"));
  const Output retried = Cli("failed retry --all");
  EXPECT_EQ(retried.exit_code, 0) << retried.text;
  EXPECT_THAT(retried.text, HasSubstr("5 queued again"));
  EXPECT_TRUE(Eventually(
      [&] { return Cli("failed --json").text.find("\"number\": 2") != std::string::npos; }));
  EXPECT_TRUE(Eventually(
      [&] { return Cli("failed").text.find("5  noop  WORK_FAILED") != std::string::npos; }));
  EXPECT_EQ(Cli("failed discard").exit_code, 2);
  EXPECT_THAT(Cli("failed discard --kind train").text, HasSubstr("0 discarded"));
  EXPECT_THAT(Cli("failed discard --reason work_failed").text, HasSubstr("5 discarded"));
  EXPECT_THAT(Cli("failed list").text, HasSubstr("no job failed for good"));
}

}  // namespace
}  // namespace switchyard::e2e
