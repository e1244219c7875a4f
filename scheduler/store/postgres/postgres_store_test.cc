#include "scheduler/store/postgres/postgres_store.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/store/job_store_contract.h"
#include "scheduler/store/postgres/connection.h"
#include "scheduler/store/postgres/test_server.h"
#include "scheduler/store/postgres/testing/postgres_server.h"

namespace switchyard::scheduler {
namespace {

using testing::HasSubstr;

PostgresServer* const& server = TestServer();

PostgresStoreOptions NewSchema() { return NewTestSchema(); }

std::unique_ptr<JobStore> Open(const PostgresStoreOptions& options) {
  auto store = OpenPostgresStore(options);
  EXPECT_TRUE(store.ok()) << store.status();
  return *std::move(store);
}

class PostgresHouse final : public StoreHouse {
 public:
  std::unique_ptr<JobStore> Open() override { return scheduler::Open(options_); }

 private:
  const PostgresStoreOptions options_ = NewSchema();
};

INSTANTIATE_TEST_SUITE_P(Postgres, JobStoreContract,
                         testing::Values(StoreHouseMaker{
                             "postgres", [] { return std::make_unique<PostgresHouse>(); }}));

class PostgresStoreTest : public testing::Test {
 protected:
  // Changes the tables behind the store's back.
  void Damage(const std::string& sql) {
    auto connection = PostgresConnection::Open(options_.uri, options_.schema);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const absl::Status status = connection->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }
  static WriteBatch OneJob(JobId id = 42) {
    WriteBatch batch;
    JobRow& row = batch.inserts.emplace_back();
    row.id = id;
    row.state = 2;
    row.tenant = "default";
    row.record = std::string("rec\0ord", 7);
    row.spec = "spec";
    return batch;
  }

  const PostgresStoreOptions options_ = NewSchema();
};

TEST_F(PostgresStoreTest, TheLeaderBeforeIsRefusedOnceAnotherHasTakenOver) {
  const auto first = Open(options_);
  const uint64_t old_epoch = *first->BumpEpoch();
  const auto second = Open(options_);
  const uint64_t new_epoch = *second->BumpEpoch();
  EXPECT_GT(new_epoch, old_epoch);
  const absl::Status late = first->Commit(old_epoch, OneJob());
  EXPECT_TRUE(absl::IsFailedPrecondition(late)) << late;
  EXPECT_THAT(std::string(late.message()), HasSubstr("another one leads"));
  EXPECT_TRUE(absl::IsNotFound(second->GetJob(42).status()));
  EXPECT_TRUE(second->Commit(new_epoch, OneJob()).ok());
}

TEST_F(PostgresStoreTest, ARefusedCommitLeavesTheConnectionUsable) {
  const auto store = Open(options_);
  const uint64_t epoch = *store->BumpEpoch();
  ASSERT_TRUE(store->Commit(epoch, OneJob()).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(store->Commit(epoch, OneJob())));
  EXPECT_TRUE(store->Commit(epoch, OneJob(43)).ok());
}

TEST_F(PostgresStoreTest, GoesOnWhenTheServerComesBack) {
  const auto store = Open(options_);
  const uint64_t epoch = *store->BumpEpoch();
  ASSERT_TRUE(store->Commit(epoch, OneJob()).ok());
  server->Kill();
  EXPECT_TRUE(absl::IsUnavailable(store->Commit(epoch, OneJob(43))));
  EXPECT_TRUE(absl::IsUnavailable(store->GetJob(42).status()));
  ASSERT_TRUE(server->StartAgain().ok());
  // What was acknowledged survived the kill.
  EXPECT_EQ(store->GetJob(42)->spec, "spec");
  const absl::StatusOr<uint64_t> next = store->BumpEpoch();
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_GT(*next, epoch);
  EXPECT_TRUE(store->Commit(*next, OneJob(43)).ok());
}

TEST_F(PostgresStoreTest, TheLastUpdateOfAJobInABatchStays) {
  const auto store = Open(options_);
  WriteBatch batch = OneJob();
  for (const char* record : {"first", "second"}) {
    JobUpdate& update = batch.updates.emplace_back();
    update.id = 42;
    update.record = record;
  }
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), batch).ok());
  EXPECT_EQ(store->GetJob(42)->record, "second");
}

TEST_F(PostgresStoreTest, ADamagedRowIsDataLossNamingTheJob) {
  const auto store = Open(options_);
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), OneJob()).ok());
  Damage("UPDATE job SET record = 'rEcord'");
  const absl::Status read = store->GetJob(42).status();
  EXPECT_TRUE(absl::IsDataLoss(read)) << read;
  EXPECT_THAT(std::string(read.message()), HasSubstr(FormatJobId(42)));
  EXPECT_TRUE(absl::IsDataLoss(store->LoadLive([](JobRow&) { return absl::OkStatus(); })));
}

TEST_F(PostgresStoreTest, LoadsMoreLiveJobsThanOneAnswerHolds) {
  const auto store = Open(options_);
  WriteBatch batch;
  for (JobId id = 1; id <= 12'001; ++id) batch.inserts.push_back(OneJob(id).inserts.front());
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), batch).ok());
  JobId last = 0;
  uint64_t rows = 0;
  const absl::Status status = store->LoadLive([&](JobRow& row) {
    EXPECT_LT(last, row.id);
    last = row.id;
    ++rows;
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(rows, 12'001u);
}

TEST_F(PostgresStoreTest, ASchemaOfANewerVersionIsRefused) {
  Open(options_);
  Damage("INSERT INTO migration VALUES (99)");
  const absl::Status status = OpenPostgresStore(options_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer version"));
}

TEST_F(PostgresStoreTest, ABadSchemaNameIsNamed) {
  const absl::Status status =
      OpenPostgresStore({.uri = server->uri(), .schema = "x\"; DROP"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("DROP"));
}

// A server of its own: it listens on a port.
TEST(PostgresStoreTls, VerifiesTheServerAndRefusesOneItDoesNotKnow) {
  auto started = PostgresServer::Start();
  if (absl::IsNotFound(started.status())) GTEST_SKIP() << started.status();
  ASSERT_TRUE(started.ok()) << started.status();
  const absl::Status tls = (*started)->OfferTls();
  if (absl::IsNotFound(tls)) GTEST_SKIP() << tls;
  ASSERT_TRUE(tls.ok()) << tls;
  const std::string uri = absl::StrCat("postgresql://switchyard@127.0.0.1:", (*started)->port(),
                                       "/postgres?sslmode=verify-full&sslrootcert=");
  const auto known = uri + (*started)->certificate();
  const auto store = OpenPostgresStore({.uri = known});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->BumpEpoch().ok());
  auto connection = PostgresConnection::Open(known, "switchyard");
  ASSERT_TRUE(connection.ok()) << connection.status();
  const auto encrypted = connection->Query(
      {"encrypted", "SELECT ssl::INT::BIGINT FROM pg_stat_ssl WHERE pid = pg_backend_pid()"}, {});
  ASSERT_TRUE(encrypted.ok()) << encrypted.status();
  EXPECT_EQ(encrypted->Integer(0, 0), 1);

  const absl::Status stranger =
      OpenPostgresStore({.uri = uri + "/etc/ssl/certs/ca-certificates.crt"}).status();
  EXPECT_TRUE(absl::IsUnavailable(stranger)) << stranger;
  EXPECT_THAT(std::string(stranger.message()), HasSubstr("certificate"));
}

TEST(PostgresStoreWithoutServer, SaysWhatItCannotReach) {
  const absl::Status status =
      OpenPostgresStore({.uri = "host=/nonexistent/folder dbname=none"}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent/folder"));
}

}  // namespace
}  // namespace switchyard::scheduler
