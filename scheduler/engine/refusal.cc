#include "scheduler/engine/refusal.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

constexpr char kErrorInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";

absl::Status WithMetadata(absl::Status status, const Refusal& refusal) {
  const absl::optional<absl::Cord> detail = status.GetPayload(kErrorInfo);
  google::rpc::ErrorInfo info;
  if (!detail.has_value() || !info.ParseFromString(std::string(*detail))) return status;
  for (const auto& [name, value] : refusal.metadata) (*info.mutable_metadata())[name] = value;
  status.SetPayload(kErrorInfo, absl::Cord(info.SerializeAsString()));
  return status;
}

}  // namespace

absl::Status ToStatus(const Refusal& refusal, JobId job) {
  if (refusal.code == absl::StatusCode::kOk) return absl::OkStatus();
  if (refusal.code == absl::StatusCode::kNotFound && job != 0) {
    return NotFound("job", FormatJobId(job));
  }
  absl::Status status =
      WithMetadata(MakeError(refusal.code, refusal.reason, refusal.message), refusal);
  if (refusal.retry_delay_us == 0) return status;
  return WithRetryDelay(status, absl::Microseconds(refusal.retry_delay_us));
}

absl::Status CommitUnknown(const absl::Status& cause) {
  const std::string message = absl::StrCat(
      "the scheduler could not commit (", cause.message(),
      "): nothing happened, or the outcome is unknown; repeat with the same request_id");
  return WithRetryDelay(MakeError(absl::StatusCode::kUnavailable, "COMMIT_UNKNOWN", message),
                        absl::Seconds(1));
}

absl::Status RequestIdReused(absl::string_view request_id) {
  return MakeError(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
                   absl::StrCat("request_id \"", request_id,
                                "\" was used for another body; take a new one for a new request"),
                   {{"request_id", request_id}});
}

}  // namespace switchyard::scheduler
