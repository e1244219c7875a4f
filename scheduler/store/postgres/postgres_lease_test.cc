#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "scheduler/store/lease_store_contract.h"
#include "scheduler/store/postgres/connection.h"
#include "scheduler/store/postgres/lease_store.h"
#include "scheduler/store/postgres/test_server.h"

namespace switchyard::scheduler {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

class PostgresHouse final : public LeaseHouse {
 public:
  PostgresHouse() {
    auto jobs = OpenPostgresStore(options_);
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    jobs_ = *std::move(jobs);
  }
  std::unique_ptr<LeaseStore> OpenLeases() override {
    return MakePostgresLeaseStore(options_, kPatience);
  }
  JobStore& jobs() override { return *jobs_; }

 private:
  const PostgresStoreOptions options_ = NewTestSchema();
  std::unique_ptr<JobStore> jobs_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, LeaseStoreContract,
                         testing::Values(LeaseHouseMaker{
                             "postgres", [] { return std::make_unique<PostgresHouse>(); }}));

class PostgresLeaseTest : public testing::Test {
 protected:
  void SetUp() override {
    auto jobs = OpenPostgresStore(options_);
    ASSERT_TRUE(jobs.ok()) << jobs.status();
    jobs_ = *std::move(jobs);
    leases_ = MakePostgresLeaseStore(options_, kPatience);
  }
  uint64_t Take(const std::string& name) {
    const SchedulerIdentity self{.id = name, .name = name, .client_address = "", .version = ""};
    const absl::StatusOr<uint64_t> term = leases_->Take(*leases_->Read(), self);
    EXPECT_TRUE(term.ok()) << term.status();
    return term.value_or(0);
  }

  const PostgresStoreOptions options_ = NewTestSchema();
  std::unique_ptr<JobStore> jobs_;
  std::unique_ptr<LeaseStore> leases_;
};

// What a leader leaves behind that was frozen between the first and the last message of a commit.
TEST_F(PostgresLeaseTest, ALeaderFrozenInTheMiddleOfACommitDoesNotHoldTheNextOneUp) {
  const uint64_t epoch = *leases_->BumpEpoch(Take("frozen"));
  auto frozen = PostgresConnection::Open(options_.uri, options_.schema);
  ASSERT_TRUE(frozen.ok()) << frozen.status();
  ASSERT_TRUE(frozen
                  ->Execute(absl::StrCat("BEGIN; SELECT check_epoch(", epoch,
                                         "); INSERT INTO document VALUES ('test', '', 'late', 0, "
                                         "'bytes')"))
                  .ok());
  // Only who takes longer than a commit takes is cut off.
  ASSERT_TRUE(frozen->Execute("SELECT pg_sleep(0.6)").ok());
  const uint64_t term = Take("next");
  EXPECT_TRUE(leases_->BumpEpoch(term).ok());
  EXPECT_FALSE(frozen->Execute("COMMIT").ok());
  EXPECT_FALSE(jobs_->GetDocument({"test", "", "late"})->has_value());
}

TEST_F(PostgresLeaseTest, GoesOnWhenTheServerComesBack) {
  const uint64_t term = Take("one");
  TestServer()->Kill();
  EXPECT_TRUE(absl::IsUnavailable(leases_->Renew(term)));
  EXPECT_TRUE(absl::IsUnavailable(leases_->Read().status()));
  ASSERT_TRUE(TestServer()->StartAgain().ok());
  EXPECT_TRUE(leases_->Renew(term).ok());
  EXPECT_EQ(leases_->Read()->holder.name, "one");
}

}  // namespace
}  // namespace switchyard::scheduler
