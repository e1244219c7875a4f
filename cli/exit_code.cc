#include "cli/exit_code.h"

#include "absl/strings/numbers.h"
#include "google/rpc/error_details.pb.h"

namespace switchyard::cli {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnimplemented:
      return ExitCode::kRefused;
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kTimeOver;
    default:
      return ExitCode::kInternal;
  }
}

ExitCode ExitCodeOf(const v1::Job& job) {
  if (job.state() == v1::Job::SUCCEEDED) return ExitCode::kOk;
  for (const auto& detail : job.error().details()) {
    google::rpc::ErrorInfo info;
    int code = 0;
    if (!job.has_command() || !detail.UnpackTo(&info)) continue;
    const auto found = info.metadata().find("exit_code");
    if (found != info.metadata().end() && absl::SimpleAtoi(found->second, &code) && code != 0)
      return static_cast<ExitCode>(code);
  }
  return ExitCode::kJobFailed;
}

}  // namespace switchyard::cli
