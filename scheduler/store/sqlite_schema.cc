#include "scheduler/store/sqlite_schema.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace switchyard::scheduler {
namespace {

// Version 1. Notes on `job`:
// - `record` stands before `spec`: a large spec then spills to overflow pages that LoadLive never
// touches.
// - `job_live` indexes the id, not the tenant: an insert then appends to its last page whatever the
// tenant is.
// - Three checksums: an update knows the record only, LoadLive does not read the spec
// (row_checksum.h).
constexpr char kFirst[] = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  create_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  record_crc INTEGER NOT NULL,
  identity_crc INTEGER NOT NULL,
  spec_crc INTEGER NOT NULL,
  record BLOB NOT NULL,
  spec BLOB NOT NULL
);
CREATE INDEX job_tenant ON job (tenant, id);
CREATE INDEX job_live ON job (id) WHERE end_ms = 0;
CREATE INDEX job_failed ON job (tenant, id) WHERE state = 6;
CREATE TABLE request (
  number INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  method TEXT NOT NULL,
  request_id TEXT NOT NULL,
  body_sha256 BLOB NOT NULL,
  first_job INTEGER NOT NULL,
  job_count INTEGER NOT NULL,
  create_ms INTEGER NOT NULL,
  expire_ms INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  reply BLOB NOT NULL
);
CREATE UNIQUE INDEX request_key ON request (request_id, tenant, method);
CREATE TABLE model_version (
  tenant TEXT NOT NULL,
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  job INTEGER NOT NULL,
  create_ms INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (tenant, model, version)
) WITHOUT ROWID;
CREATE TABLE artifact_reference (
  tenant TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  create_ms INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (tenant, sha256)
) WITHOUT ROWID;
CREATE TABLE class_limit (
  worker TEXT NOT NULL,
  device TEXT NOT NULL,
  job_class INTEGER NOT NULL,
  max_running INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (worker, device, job_class)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', 0), ('last_deleted_job', 0);
)sql";

// Version 2: documents, one table for every collection.
constexpr char kDocuments[] = R"sql(
CREATE TABLE document (
  collection TEXT NOT NULL,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  crc INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (collection, tenant, id)
) WITHOUT ROWID;
)sql";

// Version 3: who sweeps asks whether anybody refers to a hash.
constexpr char kArtifactHashes[] = R"sql(
CREATE INDEX artifact_hash ON artifact_reference (sha256);
)sql";

constexpr const char* kMigrations[] = {kFirst, kDocuments, kArtifactHashes};

}  // namespace

absl::Status MigrateSqlite(SqliteDatabase& database) {
  const absl::StatusOr<int64_t> version = database.QueryInteger("PRAGMA user_version");
  if (!version.ok()) return version.status();
  const int64_t newest = std::size(kMigrations);
  if (*version > newest) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store has schema version ", *version, ", this program knows up to ",
                     newest, "; start the newer version of switchyard-scheduler"));
  }
  for (int64_t next = *version; next < newest; ++next) {
    const absl::Status status = database.Execute(absl::StrCat(
        "BEGIN IMMEDIATE;", kMigrations[next], "PRAGMA user_version = ", next + 1, "; COMMIT"));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
