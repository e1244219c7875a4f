// The scheduler's durable state as a port: jobs, request ids, model versions, artifact references,
// limits, documents, the leader epoch.
//
// It exists so that the engine commits a whole drain as one transaction without knowing a database,
// so that a PostgreSQL store can stand beside SQLite, and so that tests and the simulation can make
// commits fail, be slow, or happen and be reported as failed. Implementations: OpenSqliteStore
// (sqlite_store.h) and MemoryStore (memory_store.h); all of them pass the suite in
// job_store_contract.h.
//
// Thread-safety: BumpEpoch and Commit are called by one thread at a time (the engine's). All other
// methods may be called from any thread at any time; a read sees everything whose Commit returned
// before the read began. Ownership: arguments are borrowed for the call; answers belong to the
// caller. Every method blocks on disk or network. Never call one from a thread that serves an event
// loop.
//
// Errors of every read: DATA_LOSS naming table and row when a stored row fails its CRC-32C;
// UNAVAILABLE when the store cannot be reached or read now.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/id/job_id.h"

namespace switchyard::scheduler {

// The part of a job's row that changes.
struct JobUpdate {
  JobId id = 0;
  uint32_t state = 0;     // v1::Job::State.
  uint32_t priority = 0;  // 1 to 9.
  int64_t end_ms = 0;     // Milliseconds since the Unix epoch; 0: the job lives.
  std::string record;     // Opaque to the store; row_codec.h makes and reads it.
};

// A job's row. `spec`, `tenant`, `kind` and `create_ms` never change after the insert.
struct JobRow : JobUpdate {
  std::string tenant;
  uint32_t kind = 0;  // v1::Job::KindCase.
  int64_t create_ms = 0;
  std::string spec;  // Serialized v1.Job with the user's fields only, defaults filled in. Empty
                     // where a read says so.
};

// One accepted mutating call: what makes its repeat safe.
struct RequestKey {
  std::string tenant;
  std::string method;  // Short name of the method: `CreateJob`.
  std::string request_id;
};
struct RequestRow {
  RequestKey key;
  std::string body_sha256;  // 32 bytes, of the deterministic bytes of the body without request_id.
  JobId first_job = 0;      // Jobs the call concerned are first_job .. first_job + job_count - 1.
  uint32_t job_count = 0;
  std::string reply;  // Serialized answer where it cannot be made again from the jobs; else empty.
  int64_t create_ms = 0;
  int64_t expire_ms = 0;  // Kept at least until then, and as long as one of its jobs lives.
};

// A registered model version; immutable.
struct ModelVersionRow {
  std::string tenant;
  std::string model;
  uint32_t version = 0;  // From 1.
  JobId job = 0;         // Job that made it.
  int64_t create_ms = 0;
  std::string bytes;  // Serialized v1.ModelVersion.
};

// A tenant's right to read an artifact.
struct ArtifactReferenceRow {
  std::string tenant;
  std::string sha256;  // 64 lower-case hex digits.
  int64_t size_bytes = 0;
  std::string media_type;
  int64_t create_ms = 0;
};

struct ArtifactReferenceKey {
  std::string tenant;
  std::string sha256;
};
// What a tenant's references come to.
struct ArtifactUse {
  int64_t artifacts = 0;
  int64_t bytes = 0;
};

// A limit in force, as in v1.Limit.
struct LimitRow {
  std::string worker;
  std::string device;
  uint32_t job_class = 0;  // v1::JobClass.
  uint32_t max_running = 0;
};

// Names a document: one thing of its collection that is kept whole as bytes (a pipeline, a
// schedule, settings that were changed live, what a policy learned).
struct DocumentKey {
  std::string collection;  // `pipeline`, `schedule`, `policy_state` ...
  std::string tenant;      // Empty: nobody's, the installation's own.
  std::string id;          // UTF-8, not empty.
  friend auto operator<=>(const DocumentKey&, const DocumentKey&) = default;
};
struct DocumentRow {
  DocumentKey key;
  std::string bytes;  // Opaque to the store; small: it is written and read whole.
};
// Puts a document, in the place of one that is there, or removes it.
struct DocumentWrite {
  DocumentKey key;
  std::optional<std::string> bytes;  // None: removed; removing what is not there succeeds.
};

// Everything one drain changes. Applied in the order of the members.
struct WriteBatch {
  std::vector<JobRow> inserts;  // ALREADY_EXISTS when an id is stored.
  std::vector<JobUpdate>
      updates;                 // NOT_FOUND when an id is not stored. May name rows of `inserts`.
  std::vector<JobId> deletes;  // Deleting what is not there succeeds.
  std::vector<RequestRow> requests;  // ALREADY_EXISTS when a key is stored.
  std::vector<ModelVersionRow>
      model_versions;  // ALREADY_EXISTS when (tenant, model, version) is stored.
  std::vector<ArtifactReferenceKey>
      released_artifacts;  // References to remove; removing what is not there succeeds.
  std::vector<ArtifactReferenceRow> artifact_references;  // One that is there stays as it is.
  std::optional<std::vector<LimitRow>> limits;            // The whole new list.
  std::vector<DocumentWrite> documents;                   // In this order: the last of a key stays.

  bool empty() const;
  // Rows it writes; the limits count as one.
  size_t rows() const;
  // Empties it and keeps the capacity.
  void Clear();
};

// Which jobs a list asks for.
struct JobQuery {
  std::string tenant;
  uint32_t states = 0;     // Bit 1 << v1::Job::State for each state wanted; 0: every state.
  uint32_t kind = 0;       // v1::Job::KindCase; 0: every kind.
  JobId before = 0;        // Only ids below this one; 0: from the newest.
  JobId from = 0;          // Only this id and those above it.
  int max_rows = 50;       // Most rows in the answer. REQUIRES: > 0.
  int max_scanned = 5000;  // Most rows looked at. REQUIRES: >= max_rows.
};
struct JobPage {
  std::vector<JobRow> rows;  // Newest first.
  JobId next_before = 0;     // `before` of the next page; 0: that was all.
};

// Which documents a list asks for.
struct DocumentQuery {
  std::string collection;
  std::optional<std::string> tenant;  // None: every tenant's, and nobody's.
  // Only those beyond this (tenant, id) in the order of the answer; none: from its beginning.
  // REQUIRES: of `tenant`, when that is set.
  std::optional<std::pair<std::string, std::string>> after;
  bool descending = false;  // By (tenant, id) downwards: ids made in order of time, newest first.
  int max_rows = 50;        // REQUIRES: > 0.
};

// NOT_FOUND, reason MODEL_NOT_FOUND, naming the model and, unless it is 0, the version.
absl::Status ModelNotFound(absl::string_view model, uint32_t version);

class JobStore {
 public:
  virtual ~JobStore() = default;

  // --- writes: one thread at a time ---

  // Commits a leader epoch higher than any before (the first is 1) and gives it. Every start,
  // takeover and rebuild does this first. On an error nothing may be assumed; call again.
  virtual absl::StatusOr<uint64_t> BumpEpoch() = 0;

  // Commits `batch` as one durable (synced) transaction, all or nothing. `epoch` is the caller's:
  // FAILED_PRECONDITION, and nothing written, when the stored one is another. After any other error
  // the outcome is UNKNOWN: the caller must not act on either, and reads the store again after
  // BumpEpoch.
  virtual absl::Status Commit(uint64_t epoch, const WriteBatch& batch) = 0;

  // Removes request rows past their expiry none of whose jobs lives, looking at no more than
  // `max_scanned` rows; goes on where the last call stopped, so repeated calls see every row. Gives
  // the number removed. A transaction of its own, to be called like Commit.
  virtual absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned) = 0;

  // --- reads: any thread ---

  // NOT_FOUND when there is no such job, whoever's it is.
  virtual absl::StatusOr<JobRow> GetJob(JobId id) = 0;
  // Rows in the order of `ids`, without those that do not exist.
  virtual absl::StatusOr<std::vector<JobRow>> GetJobs(absl::Span<const JobId> ids) = 0;
  // Specs alone, in the order of `ids`. NOT_FOUND naming the first that does not exist.
  virtual absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids) = 0;
  // States (v1::Job::State) of the jobs first .. first + count - 1 as stored, in order; 0 where
  // there is no job of `tenant`. Cheap: a hundred thousand take some 30 ms.
  virtual absl::StatusOr<std::vector<uint32_t>> GetStates(absl::string_view tenant, JobId first,
                                                          uint32_t count) = 0;
  // Looks at a bounded number of rows: the page may be short or empty though `next_before` is not
  // 0.
  virtual absl::StatusOr<JobPage> ListJobs(const JobQuery& query) = 0;
  // Calls `row` for every job with end_ms 0, in order of id; `spec` is empty (never read). The row
  // is the callee's to move from. Ends early with the first status that is not OK.
  virtual absl::Status LoadLive(const std::function<absl::Status(JobRow&)>& row) = 0;
  // Highest job id ever stored (deleted ones included), 0 when there was none.
  virtual absl::StatusOr<JobId> LastJobId() = 0;

  // One entry per key, in order; nothing where no row is stored. Expired rows that still exist are
  // given.
  virtual absl::StatusOr<std::vector<std::optional<RequestRow>>> FindRequests(
      absl::Span<const RequestKey> keys) = 0;

  // `version` 0: the latest. NOT_FOUND (reason MODEL_NOT_FOUND) naming the model.
  virtual absl::StatusOr<ModelVersionRow> GetModelVersion(absl::string_view tenant,
                                                          absl::string_view model,
                                                          uint32_t version) = 0;
  // Latest version of each model of `tenant` by name, beginning after the name `after`, at most
  // `max_rows`.
  virtual absl::StatusOr<std::vector<ModelVersionRow>> ListModels(absl::string_view tenant,
                                                                  absl::string_view after,
                                                                  int max_rows) = 0;

  // Nothing when the tenant has no reference.
  virtual absl::StatusOr<std::optional<ArtifactReferenceRow>> FindArtifactReference(
      absl::string_view tenant, absl::string_view sha256) = 0;

  // By hash, of those after the hash `after`, at most `max_rows`.
  virtual absl::StatusOr<std::vector<ArtifactReferenceRow>> ListArtifactReferences(
      absl::string_view tenant, absl::string_view after, int max_rows) = 0;
  // Reads every reference of the tenant: a million take some tenths of a second.
  virtual absl::StatusOr<ArtifactUse> SumArtifactReferences(absl::string_view tenant) = 0;
  // Whether any tenant has a reference, in the order of `sha256s`.
  virtual absl::StatusOr<std::vector<bool>> AreArtifactsReferenced(
      absl::Span<const std::string> sha256s) = 0;

  virtual absl::StatusOr<std::vector<LimitRow>> GetLimits() = 0;

  // Nothing when no document is stored under `key`.
  virtual absl::StatusOr<std::optional<DocumentRow>> GetDocument(const DocumentKey& key) = 0;
  // By (tenant, id). As many as `max_rows` unless there are fewer.
  virtual absl::StatusOr<std::vector<DocumentRow>> ListDocuments(const DocumentQuery& query) = 0;
};

}  // namespace switchyard::scheduler
