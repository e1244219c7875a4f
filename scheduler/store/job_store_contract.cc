#include "scheduler/store/job_store_contract.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

namespace switchyard::scheduler {

// A suite in a library is instantiated elsewhere, or by nobody.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(JobStoreContract);

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kQueued = 2;
constexpr uint32_t kSucceeded = 5;
constexpr uint32_t kFailed = 6;

JobRow QueuedJob(JobId id, const std::string& tenant = "default") {
  JobRow row;
  row.id = id;
  row.state = kQueued;
  row.priority = 5;
  row.record = absl::StrCat("record of ", id);
  row.tenant = tenant;
  row.kind = 32;
  row.create_ms = 1000;
  row.spec = absl::StrCat("spec of ", id);
  return row;
}

JobUpdate Ended(JobId id, uint32_t state = kSucceeded) {
  JobUpdate row;
  row.id = id;
  row.state = state;
  row.priority = 4;
  row.end_ms = 2000;
  row.record = absl::StrCat("result of ", id);
  return row;
}

RequestRow Request(const std::string& id, JobId job, int64_t expire_ms = 5000) {
  RequestRow row;
  row.key = {"default", "CreateJob", id};
  row.body_sha256 = std::string(32, '\x7f');
  row.first_job = job;
  row.job_count = 1;
  row.reply = "reply";
  row.create_ms = 1000;
  row.expire_ms = expire_ms;
  return row;
}

ModelVersionRow Model(const std::string& name, uint32_t version) {
  return {.tenant = "default",
          .model = name,
          .version = version,
          .job = 7,
          .create_ms = 1000,
          .bytes = absl::StrCat(name, " ", version)};
}

std::vector<JobId> Ids(const std::vector<JobRow>& rows) {
  std::vector<JobId> ids;
  for (const JobRow& row : rows) ids.push_back(row.id);
  return ids;
}

std::vector<JobId> LiveIds(JobStore& store) {
  std::vector<JobId> ids;
  const absl::Status status = store.LoadLive([&](JobRow& row) {
    ids.push_back(row.id);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return ids;
}

std::vector<std::string> DocumentIds(JobStore& store, const DocumentQuery& query) {
  const absl::StatusOr<std::vector<DocumentRow>> rows = store.ListDocuments(query);
  EXPECT_TRUE(rows.ok()) << rows.status();
  std::vector<std::string> ids;
  for (const DocumentRow& row : *rows) {
    ids.push_back(absl::StrCat(row.key.tenant, "/", row.key.id));
    EXPECT_EQ(row.key.collection, query.collection);
  }
  return ids;
}

}  // namespace

void JobStoreContract::SetUp() {
  house_ = GetParam().make();
  Reopen();
}

void JobStoreContract::Reopen() {
  store_.reset();
  store_ = house_->Open();
  const absl::StatusOr<uint64_t> epoch = store_->BumpEpoch();
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  epoch_ = *epoch;
}

void JobStoreContract::Commit(const WriteBatch& batch) {
  const absl::Status status = store_->Commit(epoch_, batch);
  ASSERT_TRUE(status.ok()) << status;
}

TEST_P(JobStoreContract, FirstEpochIsOneAndEachIsHigher) {
  EXPECT_EQ(epoch_, 1u);
  EXPECT_EQ(*store_->BumpEpoch(), 2u);
  Reopen();
  EXPECT_EQ(epoch_, 3u);
}

TEST_P(JobStoreContract, RefusesACommitUnderAnOlderEpoch) {
  ASSERT_TRUE(store_->BumpEpoch().ok());
  WriteBatch batch;
  batch.inserts = {QueuedJob(1)};
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Commit(epoch_, batch)));
  EXPECT_TRUE(absl::IsNotFound(store_->GetJob(1).status()));
}

TEST_P(JobStoreContract, GivesBackAWholeRow) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(5, "team")};
  batch.inserts[0].spec = std::string("\0binary\xff", 8);
  Commit(batch);
  const absl::StatusOr<JobRow> row = store_->GetJob(5);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->id, 5u);
  EXPECT_EQ(row->tenant, "team");
  EXPECT_EQ(row->kind, 32u);
  EXPECT_EQ(row->state, kQueued);
  EXPECT_EQ(row->priority, 5u);
  EXPECT_EQ(row->create_ms, 1000);
  EXPECT_EQ(row->end_ms, 0);
  EXPECT_EQ(row->record, "record of 5");
  EXPECT_EQ(row->spec, batch.inserts[0].spec);
}

TEST_P(JobStoreContract, UpdateLeavesTheSpecAlone) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(5)};
  Commit(batch);
  batch.Clear();
  batch.updates = {Ended(5)};
  Commit(batch);
  const absl::StatusOr<JobRow> row = store_->GetJob(5);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->state, kSucceeded);
  EXPECT_EQ(row->priority, 4u);
  EXPECT_EQ(row->end_ms, 2000);
  EXPECT_EQ(row->record, "result of 5");
  EXPECT_EQ(row->spec, "spec of 5");
}

TEST_P(JobStoreContract, ABatchInsertsUpdatesAndDeletesInThisOrder) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1), QueuedJob(2)};
  batch.updates = {Ended(1), Ended(2)};
  batch.deletes = {2, 99};
  Commit(batch);
  EXPECT_EQ(store_->GetJob(1)->state, kSucceeded);
  EXPECT_TRUE(absl::IsNotFound(store_->GetJob(2).status()));
}

TEST_P(JobStoreContract, ARefusedRowUndoesTheWholeBatch) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1)};
  batch.updates = {Ended(2)};
  EXPECT_TRUE(absl::IsNotFound(store_->Commit(epoch_, batch)));
  EXPECT_TRUE(absl::IsNotFound(store_->GetJob(1).status()));
  batch.updates.clear();
  Commit(batch);
  batch.inserts.push_back(QueuedJob(2));
  EXPECT_TRUE(absl::IsAlreadyExists(store_->Commit(epoch_, batch)));
  EXPECT_TRUE(absl::IsNotFound(store_->GetJob(2).status()));
}

TEST_P(JobStoreContract, CommittedRowsSurviveClosing) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1)};
  batch.requests = {Request("a", 1)};
  batch.limits = {{"", "cpu", 2, 4}};
  Commit(batch);
  Reopen();
  EXPECT_TRUE(store_->GetJob(1).ok());
  EXPECT_TRUE((*store_->FindRequests({{{"default", "CreateJob", "a"}}}))[0].has_value());
  EXPECT_EQ(store_->GetLimits()->size(), 1u);
}

TEST_P(JobStoreContract, LoadLiveGivesWhatHasNotEndedInOrderWithoutSpecs) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(3), QueuedJob(1), QueuedJob(2)};
  batch.updates = {Ended(2)};
  Commit(batch);
  std::vector<JobRow> rows;
  ASSERT_TRUE(store_
                  ->LoadLive([&](JobRow& row) {
                    rows.push_back(std::move(row));
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(Ids(rows), ElementsAre(1, 3));
  EXPECT_EQ(rows[0].record, "record of 1");
  EXPECT_EQ(rows[0].tenant, "default");
  EXPECT_EQ(rows[0].spec, "");
}

TEST_P(JobStoreContract, LoadLiveSeesARetriedJobAgain) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1)};
  batch.updates = {Ended(1, kFailed)};
  Commit(batch);
  EXPECT_THAT(LiveIds(*store_), IsEmpty());
  batch.Clear();
  batch.updates = {QueuedJob(1)};
  Commit(batch);
  EXPECT_THAT(LiveIds(*store_), ElementsAre(1));
}

TEST_P(JobStoreContract, LoadLiveEndsWithTheCallersError) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1), QueuedJob(2)};
  Commit(batch);
  int rows = 0;
  const absl::Status status = store_->LoadLive([&](JobRow&) {
    ++rows;
    return absl::AbortedError("enough");
  });
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_EQ(rows, 1);
}

TEST_P(JobStoreContract, LastJobIdRemembersDeletedJobs) {
  EXPECT_EQ(*store_->LastJobId(), 0u);
  WriteBatch batch;
  batch.inserts = {QueuedJob(10), QueuedJob(20)};
  Commit(batch);
  EXPECT_EQ(*store_->LastJobId(), 20u);
  batch.Clear();
  batch.deletes = {20};
  Commit(batch);
  Reopen();
  EXPECT_EQ(*store_->LastJobId(), 20u);
}

TEST_P(JobStoreContract, GetJobsSkipsTheMissingAndGetSpecsNamesIt) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1), QueuedJob(2)};
  Commit(batch);
  EXPECT_THAT(Ids(*store_->GetJobs({2, 9, 1})), ElementsAre(2, 1));
  EXPECT_THAT(*store_->GetSpecs({2, 1}), ElementsAre("spec of 2", "spec of 1"));
  const absl::Status missing = store_->GetSpecs({1, 9}).status();
  EXPECT_TRUE(absl::IsNotFound(missing));
  EXPECT_THAT(std::string(missing.message()), testing::HasSubstr(FormatJobId(9)));
}

TEST_P(JobStoreContract, GivesStatesOfJobsThatFollowEachOther) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1), QueuedJob(2), QueuedJob(3, "other"), QueuedJob(5), QueuedJob(6)};
  batch.updates = {Ended(2)};
  Commit(batch);
  EXPECT_THAT(*store_->GetStates("default", 1, 5), ElementsAre(kQueued, kSucceeded, 0, 0, kQueued));
  EXPECT_THAT(*store_->GetStates("default", 5, 1), ElementsAre(kQueued));
}

TEST_P(JobStoreContract, ListsATenantsJobsNewestFirstPageByPage) {
  WriteBatch batch;
  for (JobId id = 1; id <= 6; ++id) {
    batch.inserts.push_back(QueuedJob(id, id % 2 == 0 ? "even" : "odd"));
  }
  Commit(batch);
  JobQuery query;
  query.tenant = "odd";
  query.max_rows = 2;
  absl::StatusOr<JobPage> page = store_->ListJobs(query);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(Ids(page->rows), ElementsAre(5, 3));
  EXPECT_EQ(page->rows[0].spec, "spec of 5");
  ASSERT_NE(page->next_before, 0u);
  query.before = page->next_before;
  page = store_->ListJobs(query);
  EXPECT_THAT(Ids(page->rows), ElementsAre(1));
  EXPECT_EQ(page->next_before, 0u);
}

TEST_P(JobStoreContract, ListsTheJobsBetweenTwoIds) {
  WriteBatch batch;
  for (JobId id = 1; id <= 6; ++id) batch.inserts.push_back(QueuedJob(id));
  batch.inserts[3].tenant = "other";
  batch.updates = {Ended(2, kFailed), Ended(3, kFailed)};
  Commit(batch);
  JobQuery query;
  query.tenant = "default";
  query.from = 2;
  query.before = 6;
  query.max_rows = 2;
  absl::StatusOr<JobPage> page = store_->ListJobs(query);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(Ids(page->rows), ElementsAre(5, 3));
  ASSERT_NE(page->next_before, 0u);
  query.before = page->next_before;
  page = store_->ListJobs(query);
  EXPECT_THAT(Ids(page->rows), ElementsAre(2));
  EXPECT_EQ(page->next_before, 0u);
  query.before = 0;
  query.from = 3;
  query.states = 1u << kFailed;
  EXPECT_THAT(Ids(store_->ListJobs(query)->rows), ElementsAre(3));
}

TEST_P(JobStoreContract, ListsByStateAndKind) {
  WriteBatch batch;
  for (JobId id = 1; id <= 5; ++id) batch.inserts.push_back(QueuedJob(id));
  batch.inserts[4].kind = 33;
  batch.updates = {Ended(1, kFailed), Ended(2), Ended(4, kFailed)};
  Commit(batch);
  JobQuery query;
  query.tenant = "default";
  query.states = 1u << kFailed;
  EXPECT_THAT(Ids(store_->ListJobs(query)->rows), ElementsAre(4, 1));
  query.states = 1u << kFailed | 1u << kSucceeded;
  EXPECT_THAT(Ids(store_->ListJobs(query)->rows), ElementsAre(4, 2, 1));
  query.states = 0;
  query.kind = 33;
  EXPECT_THAT(Ids(store_->ListJobs(query)->rows), ElementsAre(5));
}

TEST_P(JobStoreContract, AListLooksAtABoundedNumberOfRowsAndGoesOnFromThere) {
  WriteBatch batch;
  for (JobId id = 1; id <= 10; ++id) batch.inserts.push_back(QueuedJob(id));
  batch.updates = {Ended(1)};
  Commit(batch);
  JobQuery query;
  query.tenant = "default";
  query.states = 1u << kSucceeded;
  query.max_rows = 4;
  query.max_scanned = 4;
  std::vector<JobId> found;
  int pages = 0;
  do {
    const absl::StatusOr<JobPage> page = store_->ListJobs(query);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const JobId id : Ids(page->rows)) found.push_back(id);
    query.before = page->next_before;
    ++pages;
  } while (query.before != 0);
  EXPECT_THAT(found, ElementsAre(1));
  EXPECT_EQ(pages, 3);
}

TEST_P(JobStoreContract, FindsRequestsByTenantMethodAndId) {
  WriteBatch batch;
  batch.requests = {Request("a", 7)};
  Commit(batch);
  const auto rows = store_->FindRequests({{{"default", "CreateJob", "a"},
                                           {"default", "CancelJob", "a"},
                                           {"other", "CreateJob", "a"},
                                           {"default", "CreateJob", "b"}}});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 4u);
  ASSERT_TRUE((*rows)[0].has_value());
  EXPECT_EQ((*rows)[0]->body_sha256, std::string(32, '\x7f'));
  EXPECT_EQ((*rows)[0]->first_job, 7u);
  EXPECT_EQ((*rows)[0]->job_count, 1u);
  EXPECT_EQ((*rows)[0]->reply, "reply");
  EXPECT_FALSE((*rows)[1].has_value());
  EXPECT_FALSE((*rows)[2].has_value());
  EXPECT_FALSE((*rows)[3].has_value());
  EXPECT_TRUE(absl::IsAlreadyExists(store_->Commit(epoch_, batch)));
}

TEST_P(JobStoreContract, RequestsAreKeptUntilTheyExpireAndTheirJobsEnd) {
  WriteBatch batch;
  batch.inserts = {QueuedJob(1), QueuedJob(2), QueuedJob(3)};
  batch.updates = {Ended(2)};
  batch.requests = {Request("live", 1), Request("ended", 2), Request("young", 3, 9000)};
  Commit(batch);
  EXPECT_EQ(*store_->RemoveExpiredRequests(4999, 100), 0);
  EXPECT_EQ(*store_->RemoveExpiredRequests(5000, 100), 1);
  const auto rows = *store_->FindRequests({{{"default", "CreateJob", "live"},
                                            {"default", "CreateJob", "ended"},
                                            {"default", "CreateJob", "young"}}});
  EXPECT_TRUE(rows[0].has_value());
  EXPECT_FALSE(rows[1].has_value());
  EXPECT_TRUE(rows[2].has_value());
}

TEST_P(JobStoreContract, RemovingExpiredRequestsStepByStepSeesEveryRow) {
  WriteBatch batch;
  for (int i = 0; i < 10; ++i) batch.requests.push_back(Request(absl::StrCat("id", i), 100 + i));
  Commit(batch);
  int removed = 0;
  for (int step = 0; step < 5; ++step) {
    const absl::StatusOr<int> count = store_->RemoveExpiredRequests(6000, 3);
    ASSERT_TRUE(count.ok()) << count.status();
    EXPECT_LE(*count, 3);
    removed += *count;
  }
  EXPECT_EQ(removed, 10);
}

TEST_P(JobStoreContract, ModelVersionsAreFoundByNumberAndByLatest) {
  WriteBatch batch;
  batch.model_versions = {Model("digits", 1), Model("digits", 2), Model("rf", 1), Model("rf", 10)};
  Commit(batch);
  EXPECT_EQ(store_->GetModelVersion("default", "digits", 1)->bytes, "digits 1");
  EXPECT_EQ(store_->GetModelVersion("default", "digits", 0)->bytes, "digits 2");
  EXPECT_EQ(store_->GetModelVersion("default", "rf", 0)->version, 10u);
  EXPECT_TRUE(absl::IsNotFound(store_->GetModelVersion("default", "digits", 3).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->GetModelVersion("default", "digit", 0).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->GetModelVersion("other", "digits", 0).status()));
  EXPECT_TRUE(absl::IsAlreadyExists(store_->Commit(epoch_, batch)));
}

TEST_P(JobStoreContract, ListsTheLatestVersionOfEachModel) {
  WriteBatch batch;
  batch.model_versions = {Model("a", 1), Model("a", 2), Model("b", 1), Model("c", 3)};
  Commit(batch);
  auto models = store_->ListModels("default", "", 2);
  ASSERT_TRUE(models.ok()) << models.status();
  ASSERT_EQ(models->size(), 2u);
  EXPECT_EQ((*models)[0].bytes, "a 2");
  EXPECT_EQ((*models)[1].bytes, "b 1");
  models = store_->ListModels("default", "b", 2);
  ASSERT_EQ(models->size(), 1u);
  EXPECT_EQ((*models)[0].bytes, "c 3");
  EXPECT_THAT(*store_->ListModels("other", "", 2), IsEmpty());
}

TEST_P(JobStoreContract, AnArtifactReferenceIsTheTenantsAndStaysAsItWasMade) {
  const std::string hash(64, 'a');
  WriteBatch batch;
  batch.artifact_references = {{"default", hash, 12, "image/png", 1000}};
  Commit(batch);
  batch.artifact_references[0].media_type = "text/plain";
  Commit(batch);
  const auto found = store_->FindArtifactReference("default", hash);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->size_bytes, 12);
  EXPECT_EQ((*found)->media_type, "image/png");
  EXPECT_FALSE(store_->FindArtifactReference("other", hash)->has_value());
}

TEST_P(JobStoreContract, ArtifactReferencesAreListedSummedAndReleased) {
  const std::string a(64, 'a'), b(64, 'b'), c(64, 'c');
  WriteBatch batch;
  batch.artifact_references = {{"default", b, 10, "image/png", 1000},
                               {"default", a, 5, "text/plain", 2000},
                               {"other", c, 7, "text/plain", 3000},
                               {"other", a, 5, "text/plain", 3000}};
  Commit(batch);
  auto rows = store_->ListArtifactReferences("default", "", 10);
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].sha256, a);
  EXPECT_EQ((*rows)[1].media_type, "image/png");
  EXPECT_EQ(store_->ListArtifactReferences("default", a, 10)->size(), 1u);
  EXPECT_EQ(store_->ListArtifactReferences("default", "", 1)->front().sha256, a);
  auto use = store_->SumArtifactReferences("default");
  ASSERT_TRUE(use.ok()) << use.status();
  EXPECT_EQ(use->artifacts, 2);
  EXPECT_EQ(use->bytes, 15);
  EXPECT_EQ(store_->SumArtifactReferences("nobody")->bytes, 0);

  // Released and recorded in one batch: recorded.
  WriteBatch release;
  release.released_artifacts = {{"default", a}, {"default", b}, {"default", c}};
  release.artifact_references = {{"default", b, 10, "image/gif", 4000}};
  Commit(release);
  rows = store_->ListArtifactReferences("default", "", 10);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].media_type, "image/gif");
  const std::vector<std::string> asked = {c, std::string(64, 'd'), a, b};
  const auto referenced = store_->AreArtifactsReferenced(asked);
  ASSERT_TRUE(referenced.ok()) << referenced.status();
  EXPECT_EQ(*referenced, (std::vector<bool>{true, false, true, true}));
  release.released_artifacts = {{"other", a}, {"other", c}};
  release.artifact_references.clear();
  Commit(release);
  EXPECT_EQ(*store_->AreArtifactsReferenced(asked), (std::vector<bool>{false, false, false, true}));
}

TEST_P(JobStoreContract, LimitsAreReplacedWhole) {
  WriteBatch batch;
  batch.limits = {{"", "cpu", 2, 4}, {"w1", "cuda:0", 1, 0}};
  Commit(batch);
  EXPECT_EQ(store_->GetLimits()->size(), 2u);
  batch.limits = {{"w1", "cuda:0", 1, 3}};
  Commit(batch);
  const auto limits = *store_->GetLimits();
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].worker, "w1");
  EXPECT_EQ(limits[0].device, "cuda:0");
  EXPECT_EQ(limits[0].job_class, 1u);
  EXPECT_EQ(limits[0].max_running, 3u);
}

TEST_P(JobStoreContract, ADocumentIsPutReplacedAndRemoved) {
  const DocumentKey key{"pipeline", "default", "a"};
  EXPECT_FALSE(store_->GetDocument(key)->has_value());
  WriteBatch batch;
  batch.documents = {{key, std::string("\0one\xff", 5)}};
  Commit(batch);
  Reopen();
  EXPECT_EQ((*store_->GetDocument(key))->bytes, std::string("\0one\xff", 5));
  batch.documents = {{key, "two"}, {key, ""}};
  Commit(batch);
  ASSERT_TRUE(store_->GetDocument(key)->has_value());
  EXPECT_EQ((*store_->GetDocument(key))->bytes, "");
  batch.documents = {{key, std::nullopt}, {{"pipeline", "default", "b"}, std::nullopt}};
  Commit(batch);
  EXPECT_FALSE(store_->GetDocument(key)->has_value());
}

TEST_P(JobStoreContract, ADocumentIsWrittenWithItsBatchOrNotAtAll) {
  WriteBatch batch;
  batch.documents = {{{"pipeline", "default", "a"}, "one"}};
  batch.updates = {Ended(9)};
  EXPECT_TRUE(absl::IsNotFound(store_->Commit(epoch_, batch)));
  EXPECT_FALSE(store_->GetDocument(batch.documents[0].key)->has_value());
}

TEST_P(JobStoreContract, ListsDocumentsOfATenantOrOfAllUpwardsOrDownwards) {
  WriteBatch batch;
  for (const char* id : {"1", "2", "3"}) {
    batch.documents.push_back({{"schedule", "one", id}, id});
    batch.documents.push_back({{"schedule", "two", id}, id});
    batch.documents.push_back({{"other", "one", id}, id});
  }
  batch.documents.push_back({{"schedule", "", "own"}, "own"});
  Commit(batch);
  EXPECT_THAT(DocumentIds(*store_, {.collection = "schedule", .tenant = "one"}),
              ElementsAre("one/1", "one/2", "one/3"));
  EXPECT_THAT(DocumentIds(*store_, {.collection = "schedule", .tenant = "one", .descending = true}),
              ElementsAre("one/3", "one/2", "one/1"));
  EXPECT_THAT(DocumentIds(*store_, {.collection = "schedule", .tenant = ""}), ElementsAre("/own"));
  EXPECT_THAT(DocumentIds(*store_, {.collection = "schedule"}),
              ElementsAre("/own", "one/1", "one/2", "one/3", "two/1", "two/2", "two/3"));
  EXPECT_THAT(DocumentIds(*store_, {.collection = "none"}), IsEmpty());
}

TEST_P(JobStoreContract, ListsDocumentsPageByPage) {
  WriteBatch batch;
  for (const char* id : {"1", "2", "3"}) batch.documents.push_back({{"schedule", "one", id}, id});
  Commit(batch);
  DocumentQuery query{.collection = "schedule", .tenant = "one", .max_rows = 2};
  EXPECT_THAT(DocumentIds(*store_, query), ElementsAre("one/1", "one/2"));
  query.after = {"one", "2"};
  EXPECT_THAT(DocumentIds(*store_, query), ElementsAre("one/3"));
  query.descending = true;
  query.after = {"one", "3"};
  EXPECT_THAT(DocumentIds(*store_, query), ElementsAre("one/2", "one/1"));
  query = {.collection = "schedule", .after = std::pair<std::string, std::string>("one", "1")};
  EXPECT_THAT(DocumentIds(*store_, query), ElementsAre("one/2", "one/3"));
}

}  // namespace switchyard::scheduler
