#include "scheduler/store/row_checksum.h"

#include "absl/strings/str_cat.h"
#include "common/hash/crc32c.h"

namespace switchyard::scheduler {
namespace {

// Feeds fields to one checksum. Strings are preceded by their length, so that bytes cannot move
// between fields unseen.
class Checksum {
 public:
  Checksum& Add(uint64_t value) {
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
    crc_ = Crc32c(crc_, absl::string_view(bytes, sizeof bytes));
    return *this;
  }
  Checksum& Add(absl::string_view text) {
    Add(text.size());
    crc_ = Crc32c(crc_, text);
    return *this;
  }
  uint32_t value() const { return crc_; }

 private:
  uint32_t crc_ = 0;
};

}  // namespace

uint32_t RecordChecksum(const JobUpdate& row) {
  return Checksum()
      .Add(row.id)
      .Add(uint64_t{row.state} << 32 | row.priority)
      .Add(static_cast<uint64_t>(row.end_ms))
      .Add(row.record)
      .value();
}

uint32_t IdentityChecksum(const JobRow& row) {
  return Checksum()
      .Add(row.id)
      .Add(row.kind)
      .Add(static_cast<uint64_t>(row.create_ms))
      .Add(row.tenant)
      .value();
}

uint32_t SpecChecksum(JobId id, absl::string_view spec) {
  return Checksum().Add(id).Add(spec).value();
}

uint32_t RequestChecksum(const RequestRow& row) {
  return Checksum()
      .Add(row.key.tenant)
      .Add(row.key.method)
      .Add(row.key.request_id)
      .Add(row.body_sha256)
      .Add(row.first_job)
      .Add(row.job_count)
      .Add(static_cast<uint64_t>(row.create_ms))
      .Add(static_cast<uint64_t>(row.expire_ms))
      .Add(row.reply)
      .value();
}

uint32_t ModelVersionChecksum(const ModelVersionRow& row) {
  return Checksum()
      .Add(row.tenant)
      .Add(row.model)
      .Add(row.version)
      .Add(row.job)
      .Add(static_cast<uint64_t>(row.create_ms))
      .Add(row.bytes)
      .value();
}

uint32_t ArtifactReferenceChecksum(const ArtifactReferenceRow& row) {
  return Checksum()
      .Add(row.tenant)
      .Add(row.sha256)
      .Add(static_cast<uint64_t>(row.size_bytes))
      .Add(row.media_type)
      .Add(static_cast<uint64_t>(row.create_ms))
      .value();
}

uint32_t LimitChecksum(const LimitRow& row) {
  return Checksum().Add(row.worker).Add(row.device).Add(row.job_class).Add(row.max_running).value();
}

uint32_t DocumentChecksum(const DocumentKey& key, absl::string_view bytes) {
  return Checksum().Add(key.collection).Add(key.tenant).Add(key.id).Add(bytes).value();
}

absl::Status DamagedRow(absl::string_view table, absl::string_view row) {
  return absl::DataLossError(
      absl::StrCat("row ", row, " of table ", table,
                   " fails its checksum; restore the scheduler's data folder from a backup"));
}

}  // namespace switchyard::scheduler
