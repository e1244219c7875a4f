#include "cli/format/error_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/format/units.h"
#include "common/status/error.h"
#include "google/rpc/error_details.pb.h"

namespace switchyard::cli {
namespace {

template <typename Detail>
bool GetDetail(const absl::Status& status, Detail* detail) {
  const auto payload =
      status.GetPayload("type.googleapis.com/" + std::string(Detail::descriptor()->full_name()));
  return payload.has_value() && detail->ParseFromString(std::string(*payload));
}

std::string NextStep(const absl::Status& status, const std::string& reason,
                     const std::string& server) {
  if (reason == "JOB_NOT_FOUND") return "`switchyard jobs` lists the jobs there are";
  if (reason == "MODEL_NOT_FOUND") return "`switchyard models` lists the models there are";
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return absl::StrCat(
          "is the service running at ", server,
          "? `switchyard up` starts one, --server names another, `switchyard doctor` looks");
    case absl::StatusCode::kUnimplemented:
      return "server and command line are of different versions: `switchyard doctor` shows both";
    default:
      return "";
  }
}

}  // namespace

std::string ErrorText(const absl::Status& status, const std::string& server) {
  std::string text;
  google::rpc::BadRequest bad_request;
  if (GetDetail(status, &bad_request) && bad_request.field_violations_size() > 0) {
    // The message repeats them in one line.
    absl::StrAppend(&text, "error: the request is not valid\n");
    for (const auto& violation : bad_request.field_violations()) {
      absl::StrAppend(&text, "  ", violation.field(), ": ", violation.description(), "\n");
    }
  } else {
    absl::StrAppend(&text, "error: ", status.message(), "\n");
  }
  google::rpc::RetryInfo retry;
  if (GetDetail(status, &retry)) {
    absl::StrAppend(&text, "  may be repeated after ", DurationText(FromProto(retry.retry_delay())),
                    "\n");
  }
  google::rpc::ErrorInfo info;
  const std::string reason = GetDetail(status, &info) ? info.reason() : "";
  if (const std::string next = NextStep(status, reason, server); !next.empty()) {
    absl::StrAppend(&text, "  ", next, "\n");
  }
  return text;
}

}  // namespace switchyard::cli
