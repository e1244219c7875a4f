#include "scheduler/store/sqlite_store.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/store/job_store_contract.h"
#include "scheduler/store/sqlite_database.h"

namespace switchyard::scheduler {
namespace {

using testing::HasSubstr;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "store_test.XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class SqliteHouse final : public StoreHouse {
 public:
  std::unique_ptr<JobStore> Open() override {
    auto store = OpenSqliteStore({.directory = folder_.path()});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

 private:
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, JobStoreContract,
                         testing::Values(StoreHouseMaker{
                             "sqlite", [] { return std::make_unique<SqliteHouse>(); }}));

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<JobStore> Open() {
    auto store = OpenSqliteStore({.directory = folder_.path()});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  // Changes the file behind the store's back.
  void Damage(const std::string& sql) {
    auto database = SqliteDatabase::Open(folder_.path() + "/switchyard.db", /*read_only=*/false);
    ASSERT_TRUE(database.ok()) << database.status();
    const absl::Status status = database->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }
  static WriteBatch OneJob() {
    WriteBatch batch;
    JobRow& row = batch.inserts.emplace_back();
    row.id = 42;
    row.state = 2;
    row.tenant = "default";
    row.record = "record";
    row.spec = "spec";
    return batch;
  }

  TemporaryFolder folder_;
};

TEST_F(SqliteStoreTest, ASecondProcessIsRefusedAndTheFolderNamed) {
  const auto first = Open();
  const absl::Status second = OpenSqliteStore({.directory = folder_.path()}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  EXPECT_THAT(std::string(second.message()), HasSubstr(folder_.path()));
}

TEST_F(SqliteStoreTest, ADamagedRecordIsDataLossNamingTheJob) {
  const auto store = Open();
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), OneJob()).ok());
  Damage("UPDATE job SET record = 'rEcord' WHERE id = 42");
  const absl::Status read = store->GetJob(42).status();
  EXPECT_TRUE(absl::IsDataLoss(read)) << read;
  EXPECT_THAT(std::string(read.message()), HasSubstr(FormatJobId(42)));
  const absl::Status load = store->LoadLive([](JobRow&) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsDataLoss(load)) << load;
}

TEST_F(SqliteStoreTest, ADamagedSpecIsFoundWhereTheSpecIsRead) {
  const auto store = Open();
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), OneJob()).ok());
  Damage("UPDATE job SET spec = 'sPec' WHERE id = 42");
  EXPECT_TRUE(absl::IsDataLoss(store->GetJob(42).status()));
  EXPECT_TRUE(absl::IsDataLoss(store->GetSpecs({42}).status()));
  EXPECT_TRUE(store->LoadLive([](JobRow&) { return absl::OkStatus(); }).ok());
}

TEST_F(SqliteStoreTest, ADamagedColumnIsDataLoss) {
  const auto store = Open();
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), OneJob()).ok());
  Damage("UPDATE job SET tenant = 'other' WHERE id = 42");
  EXPECT_TRUE(absl::IsDataLoss(store->GetJob(42).status()));
}

TEST_F(SqliteStoreTest, ADamagedDocumentIsDataLossNamingIt) {
  const auto store = Open();
  WriteBatch batch;
  batch.documents = {{{"schedule", "default", "nightly"}, "bytes"}};
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), batch).ok());
  Damage("UPDATE document SET bytes = 'bYtes'");
  const absl::Status read = store->GetDocument(batch.documents[0].key).status();
  EXPECT_TRUE(absl::IsDataLoss(read)) << read;
  EXPECT_THAT(std::string(read.message()), HasSubstr("schedule/default/nightly"));
  EXPECT_TRUE(absl::IsDataLoss(store->ListDocuments({.collection = "schedule"}).status()));
}

TEST_F(SqliteStoreTest, AFileOfTheFirstVersionGetsTheTablesOfTheNext) {
  Open();
  Damage("DROP INDEX artifact_hash; DROP TABLE document; PRAGMA user_version = 1");
  const auto store = Open();
  WriteBatch batch;
  batch.documents = {{{"schedule", "default", "nightly"}, "bytes"}};
  ASSERT_TRUE(store->Commit(*store->BumpEpoch(), batch).ok());
  EXPECT_EQ((*store->GetDocument(batch.documents[0].key))->bytes, "bytes");
}

TEST_F(SqliteStoreTest, AFileOfANewerVersionIsRefused) {
  Open();
  Damage("PRAGMA user_version = 99");
  const absl::Status status = OpenSqliteStore({.directory = folder_.path()}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer version"));
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsDataLoss) {
  Open();
  std::filesystem::remove(folder_.path() + "/switchyard.db-wal");
  std::filesystem::resize_file(folder_.path() + "/switchyard.db", 0);
  FILE* file = fopen((folder_.path() + "/switchyard.db").c_str(), "w");
  fputs("this is not a database, but it is long enough to look at, really it is", file);
  fclose(file);
  const absl::Status status = OpenSqliteStore({.directory = folder_.path()}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

}  // namespace
}  // namespace switchyard::scheduler
