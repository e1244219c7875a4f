#include "gateway/transcode/problem.h"

#include <map>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "google/rpc/error_details.pb.h"

namespace switchyard::gateway {
namespace {

// The status's detail of this type, when it has one that parses.
template <typename Detail>
std::optional<Detail> DetailOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

class Object {
 public:
  void Text(absl::string_view name, absl::string_view value) { Raw(name, JsonQuote(value)); }
  void Raw(absl::string_view name, absl::string_view json) {
    absl::StrAppend(&json_, json_.size() > 1 ? "," : "", JsonQuote(name), ":", json);
  }
  std::string Take() { return absl::StrCat(json_, "}"); }

 private:
  std::string json_ = "{";
};

template <typename List, typename Each>
std::string Array(const List& list, Each each) {
  std::string json = "[";
  for (const auto& item : list) {
    Object object;
    each(item, &object);
    absl::StrAppend(&json, json.size() > 1 ? "," : "", object.Take());
  }
  return absl::StrCat(json, "]");
}

void AddErrorInfo(const google::rpc::ErrorInfo& info, Object* problem) {
  problem->Text("reason", info.reason());
  if (info.metadata().empty()) return;
  Object metadata;
  // By key: the map itself has no order.
  const std::map<std::string, std::string> sorted(info.metadata().begin(), info.metadata().end());
  for (const auto& [key, value] : sorted) metadata.Text(key, value);
  problem->Raw("metadata", metadata.Take());
}

void AddViolations(const absl::Status& status, Object* problem) {
  if (const auto detail = DetailOf<google::rpc::BadRequest>(status)) {
    problem->Raw("fieldViolations",
                 Array(detail->field_violations(), [](const auto& violation, Object* object) {
                   object->Text("field", violation.field());
                   object->Text("description", violation.description());
                 }));
  }
  if (const auto detail = DetailOf<google::rpc::PreconditionFailure>(status)) {
    problem->Raw("preconditionViolations",
                 Array(detail->violations(), [](const auto& violation, Object* object) {
                   object->Text("type", violation.type());
                   object->Text("subject", violation.subject());
                   object->Text("description", violation.description());
                 }));
  }
  if (const auto detail = DetailOf<google::rpc::QuotaFailure>(status)) {
    problem->Raw("quotaViolations",
                 Array(detail->violations(), [](const auto& violation, Object* object) {
                   object->Text("subject", violation.subject());
                   object->Text("description", violation.description());
                 }));
  }
}

void AddResourceAndHelp(const absl::Status& status, Object* problem) {
  if (const auto detail = DetailOf<google::rpc::ResourceInfo>(status)) {
    Object resource;
    resource.Text("type", detail->resource_type());
    resource.Text("name", detail->resource_name());
    problem->Raw("resource", resource.Take());
  }
  if (const auto detail = DetailOf<google::rpc::Help>(status)) {
    problem->Raw("help", Array(detail->links(), [](const auto& link, Object* object) {
                   object->Text("description", link.description());
                   object->Text("url", link.url());
                 }));
  }
}

}  // namespace

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

absl::string_view CodeName(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return "OK";
    case absl::StatusCode::kCancelled:
      return "CANCELLED";
    case absl::StatusCode::kUnknown:
      return "UNKNOWN";
    case absl::StatusCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case absl::StatusCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case absl::StatusCode::kNotFound:
      return "NOT_FOUND";
    case absl::StatusCode::kAlreadyExists:
      return "ALREADY_EXISTS";
    case absl::StatusCode::kPermissionDenied:
      return "PERMISSION_DENIED";
    case absl::StatusCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case absl::StatusCode::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case absl::StatusCode::kAborted:
      return "ABORTED";
    case absl::StatusCode::kOutOfRange:
      return "OUT_OF_RANGE";
    case absl::StatusCode::kUnimplemented:
      return "UNIMPLEMENTED";
    case absl::StatusCode::kInternal:
      return "INTERNAL";
    case absl::StatusCode::kUnavailable:
      return "UNAVAILABLE";
    case absl::StatusCode::kDataLoss:
      return "DATA_LOSS";
    case absl::StatusCode::kUnauthenticated:
      return "UNAUTHENTICATED";
    default:
      return "UNKNOWN";
  }
}

absl::string_view ReasonPhrase(int http_status) {
  switch (http_status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  const auto retry = DetailOf<google::rpc::RetryInfo>(status);
  if (!retry.has_value()) return std::nullopt;
  return absl::Seconds(retry->retry_delay().seconds()) +
         absl::Nanoseconds(retry->retry_delay().nanos());
}

std::string ProblemJson(const absl::Status& status, absl::string_view instance, int http_status) {
  if (http_status == 0) http_status = HttpStatusOf(status.code());
  Object problem;
  problem.Text("type", "about:blank");
  problem.Text("title", ReasonPhrase(http_status));
  problem.Raw("status", absl::StrCat(http_status));
  problem.Text("detail", status.message());
  problem.Text("instance", instance);
  problem.Text("code", CodeName(status.code()));
  if (const auto info = DetailOf<google::rpc::ErrorInfo>(status)) AddErrorInfo(*info, &problem);
  AddViolations(status, &problem);
  AddResourceAndHelp(status, &problem);
  if (const auto delay = RetryDelay(status)) {
    problem.Raw("retryAfterSeconds", absl::StrCat(absl::ToDoubleSeconds(*delay)));
  }
  return problem.Take();
}

}  // namespace switchyard::gateway
