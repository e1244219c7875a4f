// What is kept of workers over restarts, as the documents that keep it. Thread-safe: pure
// functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/types.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

DocumentKey CordonsKey();
std::string EncodeCordons(const std::vector<Cordon>& cordons);
// DATA_LOSS when the bytes are not such a document.
absl::StatusOr<std::vector<Cordon>> DecodeCordons(absl::string_view bytes);

DocumentKey LedgerUsersKey();
std::string EncodeLedgerUsers(const std::vector<LedgerUser>& users);
// DATA_LOSS when the bytes are not such a document.
absl::StatusOr<std::vector<LedgerUser>> DecodeLedgerUsers(absl::string_view bytes);

}  // namespace switchyard::scheduler
