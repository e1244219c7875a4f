#include "scheduler/store/postgres/schema.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace switchyard::scheduler {
namespace {

// Version 1. Notes:
// - Names sort by bytes (COLLATE "C"), as in the other stores.
// - A page of `job` keeps room for its rows' next versions: a job's row is written three times.
// - `check_epoch` locks the epoch's row until the commit, so that a leader that takes over waits
// for the last write of the one before, and that one is refused afterwards.
constexpr char kFirst[] = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO meta VALUES ('epoch', 0), ('last_deleted_job', 0);
CREATE TABLE job (
  id BIGINT PRIMARY KEY,
  tenant TEXT COLLATE "C" NOT NULL,
  kind BIGINT NOT NULL,
  state BIGINT NOT NULL,
  priority BIGINT NOT NULL,
  create_ms BIGINT NOT NULL,
  end_ms BIGINT NOT NULL,
  record_crc BIGINT NOT NULL,
  identity_crc BIGINT NOT NULL,
  spec_crc BIGINT NOT NULL,
  record BYTEA NOT NULL,
  spec BYTEA NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX job_tenant ON job (tenant, id);
CREATE INDEX job_live ON job (id) WHERE end_ms = 0;
CREATE INDEX job_failed ON job (tenant, id) WHERE state = 6;
CREATE TABLE request (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant TEXT NOT NULL,
  method TEXT NOT NULL,
  request_id TEXT NOT NULL,
  body_sha256 BYTEA NOT NULL,
  first_job BIGINT NOT NULL,
  job_count BIGINT NOT NULL,
  create_ms BIGINT NOT NULL,
  expire_ms BIGINT NOT NULL,
  crc BIGINT NOT NULL,
  reply BYTEA NOT NULL
);
CREATE UNIQUE INDEX request_key ON request (request_id, tenant, method);
CREATE TABLE model_version (
  tenant TEXT COLLATE "C" NOT NULL,
  model TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  job BIGINT NOT NULL,
  create_ms BIGINT NOT NULL,
  crc BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (tenant, model, version)
);
CREATE TABLE artifact_reference (
  tenant TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  create_ms BIGINT NOT NULL,
  crc BIGINT NOT NULL,
  PRIMARY KEY (tenant, sha256)
);
CREATE TABLE class_limit (
  worker TEXT COLLATE "C" NOT NULL,
  device TEXT COLLATE "C" NOT NULL,
  job_class BIGINT NOT NULL,
  max_running BIGINT NOT NULL,
  crc BIGINT NOT NULL,
  PRIMARY KEY (worker, device, job_class)
);
CREATE TABLE document (
  collection TEXT COLLATE "C" NOT NULL,
  tenant TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  crc BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (collection, tenant, id)
);
CREATE FUNCTION check_epoch(expected BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE stored BIGINT;
BEGIN
  SELECT value INTO stored FROM meta WHERE name = 'epoch' FOR SHARE;
  IF stored <> expected THEN
    RAISE EXCEPTION 'this scheduler''s epoch % is not the stored one, %: another one leads',
      expected, stored USING ERRCODE = 'SW001';
  END IF;
END $$;
CREATE FUNCTION check_found(changed BIGINT, expected BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  IF changed <> expected THEN
    RAISE EXCEPTION '% of % job rows to update do not exist', expected - changed, expected
      USING ERRCODE = 'SW002';
  END IF;
END $$;
)sql";

// Version 2: the lead. Notes:
// - `leader` has one row. There are no times in it: who looks measures on his own clock how long
// `renewal` stays the same.
// - Taking the lead raises the epoch in the same transaction: every commit of the leader before is
// refused from then on. Both functions lock `leader` before `meta`.
// - `standby` is for people to look at.
constexpr char kLead[] = R"sql(
CREATE TABLE leader (
  one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
  term BIGINT NOT NULL,
  renewal BIGINT NOT NULL,
  held BIGINT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  client_address TEXT NOT NULL,
  version TEXT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO leader VALUES (TRUE, 0, 0, 0, '', '', '', '');
CREATE TABLE standby (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  client_address TEXT NOT NULL,
  version TEXT NOT NULL,
  seen TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 10);
CREATE FUNCTION take_lead(seen_term BIGINT, seen_renewal BIGINT, new_id TEXT, new_name TEXT,
                          new_address TEXT, new_version TEXT)
RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
  UPDATE leader SET term = term + 1, renewal = renewal + 1, held = 1, id = new_id, name = new_name,
    client_address = new_address, version = new_version
    WHERE term = seen_term AND renewal = seen_renewal;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  UPDATE meta SET value = value + 1 WHERE meta.name = 'epoch';
  DELETE FROM standby WHERE standby.id = new_id OR seen < clock_timestamp() - INTERVAL '1 day';
  RETURN seen_term + 1;
END $$;
CREATE FUNCTION renew_lead(mine BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
  UPDATE leader SET renewal = renewal + 1 WHERE term = mine AND held = 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'term % is over: another scheduler leads', mine USING ERRCODE = 'SW001';
  END IF;
  RETURN mine;
END $$;
CREATE FUNCTION bump_epoch(mine BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE raised BIGINT;
BEGIN
  PERFORM 1 FROM leader WHERE term = mine AND held = 1 FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'term % is over: another scheduler leads', mine USING ERRCODE = 'SW001';
  END IF;
  UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value INTO raised;
  RETURN raised;
END $$;
)sql";

// Version 3: who sweeps asks whether anybody refers to a hash.
constexpr char kArtifactHashes[] = R"sql(
CREATE INDEX artifact_hash ON artifact_reference (sha256);
)sql";

constexpr const char* kMigrations[] = {kFirst, kLead, kArtifactHashes};

// What schedulers lock while they look at the version; any number that others do not use.
constexpr int64_t kMigrationLock = 0x5377697463687964;  // "Switchyd"

constexpr PostgresStatement kVersion = {"schema_version",
                                        "SELECT coalesce(max(version), 0)::BIGINT FROM migration"};

absl::Status MigrateLocked(PostgresConnection& connection) {
  const absl::StatusOr<PostgresResult> version = connection.Query(kVersion, {});
  if (!version.ok()) return version.status();
  const int64_t newest = std::size(kMigrations);
  const int64_t stored = version->Integer(0, 0);
  if (stored > newest) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store has schema version ", stored, ", this program knows up to ", newest,
                     "; start the newer version of switchyard-scheduler"));
  }
  for (int64_t next = stored; next < newest; ++next) {
    const absl::Status status = connection.Execute(absl::StrCat(
        "BEGIN;", kMigrations[next], "INSERT INTO migration VALUES (", next + 1, "); COMMIT"));
    if (status.ok()) continue;
    connection.Execute("ROLLBACK").IgnoreError();
    return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MigratePostgres(PostgresConnection& connection, const std::string& name) {
  const std::string lock = absl::StrCat("(", kMigrationLock, ")");
  absl::Status status = connection.Execute(absl::StrCat("SELECT pg_advisory_lock", lock));
  if (!status.ok()) return status;
  status = connection.Execute(
      absl::StrCat("CREATE SCHEMA IF NOT EXISTS \"", name,
                   "\"; CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY)"));
  if (status.ok()) status = MigrateLocked(connection);
  connection.Execute(absl::StrCat("SELECT pg_advisory_unlock", lock)).IgnoreError();
  return status;
}

}  // namespace switchyard::scheduler
