// Errors as this service gives them: absl::Status with google.rpc error details as payloads,
// carried unchanged to gRPC (grpc-status-details-bin) and HTTP (problem+json). AIP-193: every error
// made here has an ErrorInfo whose `reason` a program can test. Thread-safe: pure functions.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace switchyard {

using ErrorMetadata = std::initializer_list<std::pair<absl::string_view, absl::string_view>>;

// `reason` is UPPER_SNAKE, at most 63 characters; `metadata` holds every variable of the message.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       ErrorMetadata metadata = {});

// One field at fault: path as in JSON with snake_case names (`job.train.epochs`), and what would be
// right.
struct FieldViolation {
  std::string field;
  std::string description;
};

// INVALID_ARGUMENT, reason INVALID_FIELD, naming every field at once. REQUIRES: not empty.
absl::Status InvalidFields(const std::vector<FieldViolation>& violations);
absl::Status InvalidField(absl::string_view field, absl::string_view description);

// NOT_FOUND, reason <TYPE>_NOT_FOUND, with ResourceInfo. `type` is lower case: "job", "model".
absl::Status NotFound(absl::string_view type, absl::string_view name);

// `status` with RetryInfo added: the caller may repeat after `delay`.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// `status` with `context` and ": " in front of its message, details kept.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

// To and from the wire form, details included.
google::rpc::Status ToProto(const absl::Status& status);
absl::Status FromProto(const google::rpc::Status& status);

}  // namespace switchyard
