#include "scheduler/service/principals.h"

#include <filesystem>
#include <fstream>

#include "common/hash/sha256.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "scheduler/service/config.h"
#include "scheduler/service/key_config.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

constexpr char kToken[] = "radio-secret-0123456789";
constexpr char kOtherToken[] = "vision-secret-0123456789";

config::v1::SchedulerConfig TwoKeys() {
  config::v1::SchedulerConfig config;
  config::v1::Key* radio = config.add_keys();
  radio->set_id("radio-urgent");
  radio->set_token(kToken);
  radio->set_tenant("radio");
  radio->set_highest_priority(2);
  radio->add_scopes("jobs");
  radio->add_scopes("commands");
  config::v1::Key* vision = config.add_keys();
  vision->set_id("vision");
  vision->set_token_sha256(Sha256Hex(kOtherToken));
  vision->set_tenant("vision");
  return config;
}

std::string Reason(const absl::Status& status) {
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  if (payload.has_value()) info.ParseFromString(std::string(*payload));
  return info.reason();
}

std::string Bearer(const std::string& token) { return "Bearer " + token; }

TEST(Principals, AKeysTokenSaysWhoCallsAndWhatItMayDo) {
  FakeClock clock;
  const Principals principals(TwoKeys(), "", clock);
  const auto radio = principals.Authenticate(Bearer(kToken));
  ASSERT_TRUE(radio.ok()) << radio.status();
  EXPECT_EQ(radio->tenant, "radio");
  EXPECT_EQ(radio->key, "radio-urgent");
  EXPECT_EQ(radio->highest_priority, 2u);
  EXPECT_TRUE(radio->scopes.Has(Scope::kCommands));
  EXPECT_FALSE(radio->scopes.Has(Scope::kAdmin));
  const auto vision = principals.Authenticate(std::string("bearer ") + kOtherToken);
  ASSERT_TRUE(vision.ok()) << vision.status();
  EXPECT_EQ(vision->tenant, "vision");
  EXPECT_EQ(vision->highest_priority, 3u);
  EXPECT_TRUE(vision->scopes.Has(Scope::kJobs));
}

TEST(Principals, AnUnknownOrMalformedTokenIsUnauthenticated) {
  FakeClock clock;
  const Principals principals(TwoKeys(), "", clock);
  for (const char* bad : {"Bearer x", "Bearer radio-secret-012345678", "Bearer ", " ",
                          "Basic cmFkaW8=", "radio-secret-0123456789"}) {
    const auto refused = principals.Authenticate(bad);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnauthenticated) << bad;
  }
  // Its hash is no token.
  EXPECT_FALSE(principals.Authenticate(Bearer(Sha256Hex(kOtherToken))).ok());
}

TEST(Principals, WithoutATokenTheCallerIsTheDefaultTenant) {
  FakeClock clock;
  const auto free = Principals({}, "", clock).Authenticate("");
  ASSERT_TRUE(free.ok());
  EXPECT_EQ(free->tenant, "default");
  EXPECT_EQ(free->highest_priority, 1u);
  EXPECT_TRUE(free->scopes.Has(Scope::kAdmin));
  EXPECT_FALSE(free->scopes.Has(Scope::kCommands));
  EXPECT_FALSE(free->scopes.Has(Scope::kModelsCode));
  const auto beside_keys = Principals(TwoKeys(), "", clock).Authenticate("");
  ASSERT_TRUE(beside_keys.ok());
  EXPECT_EQ(beside_keys->tenant, "default");
  EXPECT_FALSE(beside_keys->scopes.Has(Scope::kAdmin));
}

TEST(Principals, ATokenMayBeRequired) {
  FakeClock clock;
  config::v1::SchedulerConfig config = TwoKeys();
  config.set_require_token(true);
  const Principals principals(config, "", clock);
  EXPECT_EQ(Reason(principals.Authenticate("").status()), "TOKEN_REQUIRED");
  EXPECT_TRUE(principals.Authenticate(Bearer(kToken)).ok());
}

TEST(Principals, TheOperatorsTokenHasEveryScopeAndIsNotListed) {
  FakeClock clock;
  const Principals principals(TwoKeys(), "operator-secret-0123", clock);
  const auto operators = principals.Authenticate("Bearer operator-secret-0123");
  ASSERT_TRUE(operators.ok()) << operators.status();
  EXPECT_EQ(operators->tenant, "default");
  for (int i = 0; i < kScopes; ++i) EXPECT_TRUE(operators->scopes.Has(static_cast<Scope>(i))) << i;
  EXPECT_EQ(principals.Keys().size(), 2u);
  EXPECT_FALSE(principals.Find("operator").ok());
}

TEST(Principals, AMissingScopeIsNamed) {
  FakeClock clock;
  const Principals principals(TwoKeys(), "", clock);
  const auto vision = principals.Authenticate(Bearer(kOtherToken));
  const absl::Status refused = RequireScope(*vision, Scope::kAdmin);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Reason(refused), "SCOPE_MISSING");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("`admin`"));
}

TEST(Principals, TheRateOfAKeyIsChangedWhileItIsUsed) {
  FakeClock clock;
  config::v1::SchedulerConfig config = TwoKeys();
  config.mutable_keys(0)->set_rate_per_second(1);
  config.mutable_keys(0)->set_burst(2);
  Principals principals(config, "", clock);
  EXPECT_TRUE(principals.Authenticate(Bearer(kToken)).ok());
  EXPECT_TRUE(principals.Authenticate(Bearer(kToken)).ok());
  const absl::Status refused = principals.Authenticate(Bearer(kToken)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reason(refused), "RATE_LIMITED");
  EXPECT_TRUE(refused.GetPayload("type.googleapis.com/google.rpc.RetryInfo").has_value());
  // Another key is not held back.
  EXPECT_TRUE(principals.Authenticate(Bearer(kOtherToken)).ok());

  KeyLimits limits = principals.Find("radio-urgent")->limits;
  limits.rate = {};
  limits.highest_priority = 7;
  ASSERT_TRUE(principals.SetLimits("radio-urgent", limits).ok());
  const auto after = principals.Authenticate(Bearer(kToken));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->highest_priority, 7u);
  const ListedKey facts = *principals.Find("radio-urgent");
  EXPECT_EQ(facts.calls, 4u);
  EXPECT_EQ(facts.refused, 1u);
}

TEST(KeyConfig, EveryFaultIsNamedAtOnce) {
  config::v1::SchedulerConfig config = TwoKeys();
  config.set_data_dir("/tmp/x");
  config.set_listen("127.0.0.1:0");
  config.set_worker_listen("127.0.0.1:0");
  config.mutable_keys(0)->set_id("Radio");
  config.mutable_keys(0)->add_scopes("everything");
  config.mutable_keys(0)->set_highest_priority(10);
  config.mutable_keys(1)->set_token("short");
  config.add_keys()->set_id("operator");
  config.add_tenants()->set_name("radio");
  config.add_tenants()->set_name("radio");
  const absl::Status faults = CompleteConfig(config);
  EXPECT_EQ(faults.code(), absl::StatusCode::kInvalidArgument);
  for (const char* fault :
       {"keys[0].id", "no scope `everything`", "keys[0].highest_priority", "keys[1]: give either",
        "`operator` is taken", "keys[2]: give either", "radio is there twice"}) {
    EXPECT_THAT(std::string(faults.message()), HasSubstr(fault));
  }
}

TEST(KeyConfig, TwoKeysMayNotShareAToken) {
  config::v1::SchedulerConfig config = TwoKeys();
  config.mutable_keys(1)->set_token_sha256(Sha256Hex(kToken));
  std::vector<std::string> faults;
  CheckKeys(config, faults);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_THAT(faults[0], HasSubstr("token of another key"));
}

TEST(KeyConfig, AnOperatorTokenThatOthersMayReadIsRefused) {
  const std::string file = ::testing::TempDir() + "/operator.token";
  std::ofstream(file) << "operator-secret-0123\n";
  config::v1::SchedulerConfig config;
  config.set_operator_token_file(file);
  namespace fs = std::filesystem;
  fs::permissions(file, fs::perms::owner_read | fs::perms::group_read);
  EXPECT_EQ(ReadOperatorToken(config).status().code(), absl::StatusCode::kFailedPrecondition);
  fs::permissions(file, fs::perms::owner_read);
  const auto token = ReadOperatorToken(config);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(*token, "operator-secret-0123");
  fs::remove(file);
}

}  // namespace
}  // namespace switchyard::scheduler
