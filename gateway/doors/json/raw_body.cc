// Methods with the option streamed_body: HTTP bodies as they are, in pieces, with at most one piece
// in memory per direction.
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "gateway/doors/json/answer.h"
#include "gateway/doors/json/json_door.h"
#include "gateway/upstream/message_bytes.h"
#include "gateway/upstream/stream_call.h"

namespace switchyard::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using http::Awaitable;
using http::Exchange;
using Outcome = StreamCall::Outcome;

constexpr size_t kPieceBytes = 256 * 1024;
constexpr auto kForever = std::chrono::hours(24 * 365);

absl::Status TooLarge(uint64_t max_bytes) {
  return MakeError(absl::StatusCode::kResourceExhausted, "BODY_TOO_LARGE",
                   absl::StrCat("the body is larger than ", max_bytes, " bytes"),
                   {{"max_bytes", absl::StrCat(max_bytes)}});
}

// What may stand in a header: anything else an uploader called his bytes is not repeated.
std::string SafeMediaType(const std::string& given) {
  const bool good = !given.empty() && given.size() <= 128 && absl::StrContains(given, '/') &&
                    std::all_of(given.begin(), given.end(), [](char c) {
                      return absl::ascii_isalnum(c) || strchr("/+-._;= ", c) != nullptr;
                    });
  return good ? given : "application/octet-stream";
}

// The client's body into the call, piece by piece. OK also when the other side stopped listening:
// it says why at the end.
Awaitable<absl::Status> SendPieces(Exchange& exchange, StreamCall& call, const Method& method,
                                   Message* first, uint64_t max_bytes) {
  std::unique_ptr<Message> message(first->New());
  message->CopyFrom(*first);
  uint64_t total = 0;
  while (true) {
    absl::StatusOr<std::string> piece = co_await exchange.ReadPiece(kPieceBytes);
    if (!piece.ok()) co_return piece.status();
    if (piece->empty() && total > 0) break;
    const bool last = piece->empty();
    total += piece->size();
    if (total > max_bytes) co_return TooLarge(max_bytes);
    message->GetReflection()->SetString(message.get(), method.raw.request_data, *std::move(piece));
    if (!co_await call.Write(ToBytes(*message)) || last) break;
    // Path and query go with the first message only.
    message->Clear();
  }
  co_return absl::OkStatus();
}

http::ResponseHead DownloadHead(const Method& method, const Message& first) {
  const auto* reflection = first.GetReflection();
  http::ResponseHead head;
  head.status = method.success_status;
  head.content_type = "application/octet-stream";
  if (method.raw.response_media_type != nullptr) {
    head.content_type = SafeMediaType(reflection->GetString(first, method.raw.response_media_type));
  }
  // Somebody else's bytes from our own origin: never a page, never guessed to be one.
  head.headers = {{"X-Content-Type-Options", "nosniff"},
                  {"Content-Disposition", "attachment"},
                  {"Content-Security-Policy", "default-src 'none'; sandbox"}};
  return head;
}

std::optional<uint64_t> DownloadLength(const Method& method, const Message& first) {
  if (method.raw.response_length == nullptr) return std::nullopt;
  return static_cast<uint64_t>(
      std::max<int64_t>(0, first.GetReflection()->GetInt64(first, method.raw.response_length)));
}

}  // namespace

Awaitable<> JsonDoor::HandleUpload(Exchange& exchange, const Route& route, CallInfo info) const {
  const Method& method = *route.binding->method;
  absl::StatusOr<std::unique_ptr<Message>> request = co_await TakeRequest(exchange, route);
  absl::Status status = request.status();
  if (status.ok() && exchange.body_length().value_or(0) > options_.max_raw_bytes) {
    status = TooLarge(options_.max_raw_bytes);
  }
  if (!status.ok()) {
    co_await exchange.Respond(ProblemAnswer(status, exchange.head()));
    co_return;
  }
  info.deadline = DeadlineFor(method, **request, exchange.head());
  const auto call = StreamCall::Start(*upstream_, info, exchange.executor());
  exchange.OnGone([call] { call->Cancel(); });
  status = co_await SendPieces(exchange, *call, method, request->get(), options_.max_raw_bytes);
  if (!status.ok()) call->Cancel();
  call->WritesDone();
  grpc::ByteBuffer bytes;
  grpc::ByteBuffer answer;
  while (co_await call->Read(kForever, &bytes) == Outcome::kMessage) answer = bytes;
  const absl::Status ended = co_await call->Finish();
  exchange.OnGone(nullptr);
  if (status.ok()) status = ended;
  if (status.ok()) {
    const auto message = FromBytes(answer, *method.response);
    if (message.ok()) {
      co_await exchange.Respond(JsonAnswer(*route.binding, **message));
      co_return;
    }
    status = message.status();
  }
  co_await exchange.Respond(ProblemAnswer(status, exchange.head()));
}

Awaitable<> JsonDoor::HandleDownload(Exchange& exchange, const Route& route, CallInfo info) const {
  const Method& method = *route.binding->method;
  absl::StatusOr<std::unique_ptr<Message>> request = co_await TakeRequest(exchange, route);
  if (!request.ok()) {
    co_await exchange.Respond(ProblemAnswer(request.status(), exchange.head()));
    co_return;
  }
  info.deadline = DeadlineFor(method, **request, exchange.head());
  const auto call = StreamCall::Start(*upstream_, info, exchange.executor());
  exchange.OnGone([call] { call->Cancel(); });
  if (co_await call->Write(ToBytes(**request))) call->WritesDone();
  bool begun = false;
  uint64_t left = 0;
  grpc::ByteBuffer bytes;
  while (co_await call->Read(kForever, &bytes) == Outcome::kMessage) {
    auto message = FromBytes(bytes, *method.response);
    if (!message.ok()) break;
    if (!std::exchange(begun, true)) {
      const std::optional<uint64_t> length = DownloadLength(method, **message);
      left = length.value_or(0);
      if (!co_await exchange.Begin(DownloadHead(method, **message), length)) break;
    }
    std::string data = (*message)->GetReflection()->GetString(**message, method.raw.response_data);
    left -= std::min<uint64_t>(left, data.size());
    if (!data.empty() && !co_await exchange.Write(std::move(data))) break;
  }
  const absl::Status status = co_await call->Finish();
  exchange.OnGone(nullptr);
  if (!begun && !status.ok()) {
    co_await exchange.Respond(ProblemAnswer(status, exchange.head()));
  } else if (exchange.head().verb != "HEAD" && (!status.ok() || left > 0)) {
    // The head is out: only a cut connection still says that these are not all the bytes.
    exchange.Abort();
  } else {
    co_await exchange.End();
  }
}

}  // namespace switchyard::gateway
