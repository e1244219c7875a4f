// Errors over HTTP: RFC 9457 problem+json, made from the same status that gRPC callers get.
// Thread-safe: pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace switchyard::gateway {

// google/rpc/code.proto's mapping: NOT_FOUND 404, UNAVAILABLE 503, ...
int HttpStatusOf(absl::StatusCode code);

// `NOT_FOUND`.
absl::string_view CodeName(absl::StatusCode code);

// `Not Found`; "Error" for a status without a phrase.
absl::string_view ReasonPhrase(int http_status);

// Members: type (about:blank), title, status, detail, instance; code, reason, metadata,
// fieldViolations, quotaViolations, preconditionViolations, resource, help, retryAfterSeconds where
// the status has them. `http_status` 0: by the code.
std::string ProblemJson(const absl::Status& status, absl::string_view instance,
                        int http_status = 0);

// What RetryInfo says.
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

}  // namespace switchyard::gateway
