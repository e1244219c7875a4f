#include "gateway/doors/json/json_door.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/error.h"
#include "gateway/doors/json/answer.h"
#include "gateway/transcode/request_builder.h"
#include "gateway/upstream/held_call.h"
#include "gateway/upstream/message_bytes.h"
#include "google/protobuf/duration.pb.h"

namespace switchyard::gateway {
namespace {

using google::protobuf::Message;
using http::Awaitable;
using http::Exchange;

// A caller that is no browser may name curl's default type, or none, for its JSON; browsers were
// judged by the guard.
absl::Status CheckMediaType(const http::RequestHead& head) {
  const absl::string_view given = head.headers.Find("Content-Type");
  const absl::string_view type =
      absl::StripAsciiWhitespace(given.substr(0, std::min(given.find(';'), given.size())));
  if (type.empty() || absl::EqualsIgnoreCase(type, "application/json") ||
      absl::EndsWithIgnoreCase(type, "+json") || absl::EqualsIgnoreCase(type, "text/json") ||
      absl::EqualsIgnoreCase(type, "text/plain") ||
      absl::EqualsIgnoreCase(type, "application/x-www-form-urlencoded")) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kInvalidArgument, "MEDIA_TYPE_NOT_TAKEN",
                   absl::StrCat("Content-Type is ", type, "; application/json is taken here"),
                   {{"media_type", type}});
}

absl::Status CheckCoding(const http::RequestHead& head) {
  const absl::string_view coding = head.headers.Find("Content-Encoding");
  if (coding.empty() || absl::EqualsIgnoreCase(coding, "identity")) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "MEDIA_TYPE_NOT_TAKEN",
                   absl::StrCat("Content-Encoding ", coding, " is not taken; send it plain"),
                   {{"content_encoding", coding}});
}

}  // namespace

Awaitable<absl::StatusOr<std::unique_ptr<Message>>> JsonDoor::TakeRequest(
    Exchange& exchange, const Route& route) const {
  const Method& method = *route.binding->method;
  std::string body;
  if (method.raw.request_data == nullptr) {
    absl::StatusOr<std::string> read = co_await exchange.ReadBody(options_.max_json_bytes);
    if (!read.ok()) co_return read.status();
    body = *std::move(read);
    if (!body.empty()) {
      if (absl::Status status = CheckMediaType(exchange.head()); !status.ok()) co_return status;
    }
  }
  if (absl::Status status = CheckCoding(exchange.head()); !status.ok()) co_return status;
  RequestParts parts;
  parts.path = &route.values;
  parts.query = exchange.head().query();
  parts.body = body;
  parts.idempotency_key = exchange.head().headers.Find("Idempotency-Key");
  parts.last_event_id = exchange.head().headers.Find("Last-Event-ID");
  absl::StatusOr<std::unique_ptr<Message>> request = BuildRequest(*route.binding, parts);
  // A write without an id gets one, so that the gateway may repeat it.
  if (request.ok() && !method.reads && LacksRequestId(method, **request)) {
    SetRequestId(method, ids_->Uuid(), request->get());
  }
  co_return request;
}

absl::Time JsonDoor::DeadlineFor(const Method& method, const Message& request,
                                 const http::RequestHead& head) const {
  if (const auto asked = ParseGrpcTimeout(head.headers.Find("Grpc-Timeout"))) {
    return absl::Now() + *asked;
  }
  if (method.client_streaming() || method.server_streaming()) return absl::InfiniteFuture();
  absl::Duration limit = options_.default_deadline;
  // A method that takes a timeout waits that long by design; its own answer must come before ours.
  if (method.timeout != nullptr) {
    const auto& timeout = dynamic_cast<const google::protobuf::Duration&>(
        request.GetReflection()->GetMessage(request, method.timeout));
    limit = std::max(limit, absl::Seconds(timeout.seconds()) + absl::Seconds(30));
  }
  return absl::Now() + std::min(limit, absl::Hours(24));
}

Awaitable<> JsonDoor::Handle(Exchange& exchange, const Route& route, CallInfo info) const {
  const Method& method = *route.binding->method;
  info.method = method.grpc_path;
  if (method.raw.request_data != nullptr) {
    co_await HandleUpload(exchange, route, std::move(info));
  } else if (method.raw.response_data != nullptr) {
    co_await HandleDownload(exchange, route, std::move(info));
  } else if (method.server_streaming()) {
    co_await HandleEvents(exchange, route, std::move(info));
  } else {
    co_await HandleUnary(exchange, route, std::move(info));
  }
}

Awaitable<> JsonDoor::HandleUnary(Exchange& exchange, const Route& route, CallInfo info) const {
  const Method& method = *route.binding->method;
  absl::StatusOr<std::unique_ptr<Message>> request = co_await TakeRequest(exchange, route);
  if (!request.ok()) {
    co_await exchange.Respond(ProblemAnswer(request.status(), exchange.head()));
    co_return;
  }
  info.deadline = DeadlineFor(method, **request, exchange.head());
  const bool repeatable = method.reads || method.request_id != nullptr;
  CancelSwitch cancel;
  exchange.OnGone([&cancel] { cancel.Cancel(); });
  const absl::StatusOr<grpc::ByteBuffer> answer =
      co_await CallHeld(*upstream_, info, ToBytes(**request), repeatable, &cancel);
  exchange.OnGone(nullptr);
  absl::Status status = answer.status();
  if (status.ok()) {
    absl::StatusOr<std::unique_ptr<Message>> message = FromBytes(*answer, *method.response);
    if (message.ok()) {
      co_await exchange.Respond(JsonAnswer(*route.binding, **message));
      co_return;
    }
    status = message.status();
  }
  co_await exchange.Respond(ProblemAnswer(status, exchange.head()));
}

}  // namespace switchyard::gateway
