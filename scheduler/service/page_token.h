// Page tokens: opaque, URL-safe, carry no rights, and hold for the arguments they were made with
// only. Thread-safe: pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// `arguments` is whatever else must stay the same from page to page (the filter, say); `position`
// where the next begins.
std::string MakePageToken(absl::string_view arguments, absl::string_view position);

// The position. INVALID_ARGUMENT (field page_token) when the token was not made here or with other
// arguments.
absl::StatusOr<std::string> ReadPageToken(absl::string_view arguments, absl::string_view token);

// 0 = 50, over 1000 = 1000. INVALID_ARGUMENT (field page_size) when negative.
absl::StatusOr<int> ReadPageSize(int page_size);

// The same for a list of a tenant's documents: the query of a page, and the token of the one after
// it, which is empty after the last.
absl::StatusOr<DocumentQuery> ReadDocumentQuery(absl::string_view collection,
                                                absl::string_view tenant, int page_size,
                                                absl::string_view token, bool descending);
std::string NextDocumentToken(const DocumentQuery& query, const std::vector<DocumentRow>& rows);

}  // namespace switchyard::scheduler
