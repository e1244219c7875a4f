// CRC-32C of stored rows: which bytes it covers. Part of the format on disk, alike for every store.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// A job's row has three, so that each can be written and checked without the bytes of the others.
uint32_t RecordChecksum(const JobUpdate& row);  // What an update changes.
uint32_t IdentityChecksum(const JobRow& row);   // Tenant, kind, creation time.
uint32_t SpecChecksum(JobId id, absl::string_view spec);
uint32_t RequestChecksum(const RequestRow& row);
uint32_t ModelVersionChecksum(const ModelVersionRow& row);
uint32_t ArtifactReferenceChecksum(const ArtifactReferenceRow& row);
uint32_t LimitChecksum(const LimitRow& row);
uint32_t DocumentChecksum(const DocumentKey& key, absl::string_view bytes);

// DATA_LOSS: "row 0abc of table job: ...".
absl::Status DamagedRow(absl::string_view table, absl::string_view row);

}  // namespace switchyard::scheduler
