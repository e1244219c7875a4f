#include "gateway/doors/json/answer.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "gateway/transcode/json_writer.h"
#include "gateway/transcode/problem.h"
#include "google/rpc/error_details.pb.h"

namespace switchyard::gateway {
namespace {

google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return {};
  return info;
}

}  // namespace

int OwnHttpStatus(const absl::Status& status) {
  const std::string reason = InfoOf(status).reason();
  if (reason == "BODY_TOO_LARGE") return 413;
  if (reason == "MEDIA_TYPE_NOT_TAKEN") return 415;
  if (reason == "METHOD_NOT_ALLOWED") return 405;
  if (reason == "RANGE_NOT_SATISFIABLE") return 416;
  return 0;
}

http::Response ProblemAnswer(const absl::Status& status, const http::RequestHead& head,
                             int http_status) {
  if (http_status == 0) http_status = OwnHttpStatus(status);
  if (http_status == 0) http_status = HttpStatusOf(status.code());
  http::Response response;
  response.head.status = http_status;
  response.head.content_type = "application/problem+json";
  if (const auto delay = RetryDelay(status)) {
    const double seconds = std::max(1.0, std::ceil(absl::ToDoubleSeconds(*delay)));
    response.head.headers.emplace_back("Retry-After", absl::StrCat(static_cast<int64_t>(seconds)));
  }
  if (http_status == 401) response.head.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (http_status == 416) {
    const auto info = InfoOf(status);
    const auto size = info.metadata().find("size_bytes");
    if (size != info.metadata().end()) {
      response.head.headers.emplace_back("Content-Range", absl::StrCat("bytes */", size->second));
    }
  }
  response.body = ProblemJson(status, head.path(), http_status);
  return response;
}

http::Response JsonAnswer(const Binding& binding, const google::protobuf::Message& message) {
  http::Response response;
  response.head.status = binding.method->success_status;
  response.head.content_type = "application/json";
  if (binding.response_body != nullptr) {
    AppendFieldJson(message, binding.response_body, &response.body);
  } else {
    AppendJson(message, &response.body);
  }
  return response;
}

}  // namespace switchyard::gateway
