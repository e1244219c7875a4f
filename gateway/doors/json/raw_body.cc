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
#include "gateway/doors/json/byte_range.h"
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
constexpr std::chrono::nanoseconds kForever = std::chrono::hours(24 * 365);

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
    grpc::ByteBuffer bytes = ToBytes(*message);
    const bool taken = co_await call.Write(std::move(bytes));
    if (!taken || last) break;
    // Path and query go with the first message only.
    message->Clear();
  }
  co_return absl::OkStatus();
}

int64_t NumberIn(const Message& message, const FieldDescriptor* field) {
  return std::max<int64_t>(0, message.GetReflection()->GetInt64(message, field));
}

// The strong ETag of what is asked for, quoted; empty: it has none.
std::string TagOf(const Method& method, const Message& request) {
  if (method.raw.request_etag == nullptr) return {};
  return absl::StrCat("\"", request.GetReflection()->GetString(request, method.raw.request_etag),
                      "\"");
}

// Sets what the client wants of it. False: all of it.
bool TakeRange(const http::RequestHead& head, const Method& method, absl::string_view tag,
               Message* request) {
  if (method.raw.request_offset == nullptr) return false;
  const std::optional<WantedRange> wanted = RangeOf(head, tag);
  if (!wanted.has_value()) return false;
  request->GetReflection()->SetInt64(request, method.raw.request_offset, wanted->offset);
  request->GetReflection()->SetInt64(request, method.raw.request_length, wanted->length);
  return true;
}

std::optional<uint64_t> DownloadLength(const Method& method, const Message& first) {
  const FieldDescriptor* field =
      method.raw.response_range != nullptr ? method.raw.response_range : method.raw.response_length;
  if (field == nullptr) return std::nullopt;
  return static_cast<uint64_t>(NumberIn(first, field));
}

// `bytes 5-9/100`
std::string ContentRange(const Method& method, const Message& first) {
  const int64_t offset = NumberIn(first, method.raw.response_offset);
  const int64_t size = NumberIn(first, method.raw.response_range);
  return absl::StrCat("bytes ", offset, "-", offset + size - 1, "/",
                      NumberIn(first, method.raw.response_length));
}

http::ResponseHead DownloadHead(const Method& method, const Message& first, const std::string& tag,
                                bool ranged) {
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
  if (!tag.empty()) head.headers.emplace_back("ETag", tag);
  if (method.raw.request_offset != nullptr) head.headers.emplace_back("Accept-Ranges", "bytes");
  if (ranged) {
    head.status = 206;
    head.headers.emplace_back("Content-Range", ContentRange(method, first));
  }
  return head;
}

// The answer of a download, made of the call's messages.
class Download {
 public:
  // `tag`: its ETag; empty: none. `ranged`: only a part was asked for.
  Download(Exchange& exchange, const Method& method, std::string tag, bool ranged)
      : exchange_(exchange), method_(method), tag_(std::move(tag)), ranged_(ranged) {}

  // False: no more is wanted.
  Awaitable<bool> Take(const grpc::ByteBuffer& bytes) {
    const auto message = FromBytes(bytes, *method_.response);
    if (!message.ok()) co_return false;
    if (!std::exchange(begun_, true)) {
      // It exists, and the caller may read it.
      not_modified_ = !tag_.empty() && HasAlready(exchange_.head(), tag_);
      if (not_modified_) co_return false;
      const std::optional<uint64_t> length = DownloadLength(method_, **message);
      left_ = length.value_or(0);
      http::ResponseHead head = DownloadHead(method_, **message, tag_, ranged_);
      const bool open = co_await exchange_.Begin(std::move(head), length);
      if (!open || exchange_.head().verb == "HEAD") co_return false;
    }
    // The last piece waits for the call's status: bytes that turn out damaged must not look whole.
    const bool sent = co_await exchange_.Write(std::move(held_));
    if (!sent) co_return false;
    held_ = (*message)->GetReflection()->GetString(**message, method_.raw.response_data);
    left_ -= std::min<uint64_t>(left_, held_.size());
    co_return true;
  }

  Awaitable<> Close(const absl::Status& status) {
    if (not_modified_) {
      http::Response known;
      known.head.status = 304;
      known.head.headers.emplace_back("ETag", tag_);
      co_await exchange_.Respond(std::move(known));
    } else if (!begun_) {
      http::Response problem = ProblemAnswer(Explain(status), exchange_.head());
      co_await exchange_.Respond(std::move(problem));
    } else if (exchange_.head().verb != "HEAD" && (!status.ok() || left_ > 0)) {
      // The head is out: only a cut connection still says that these are not all the bytes.
      exchange_.Abort();
    } else {
      co_await exchange_.Write(std::move(held_));
      co_await exchange_.End();
    }
  }

 private:
  static absl::Status Explain(const absl::Status& status) {
    return status.ok() ? absl::InternalError("the answer had no bytes and no error") : status;
  }

  Exchange& exchange_;
  const Method& method_;
  const std::string tag_;
  const bool ranged_;
  std::string held_;
  uint64_t left_ = 0;
  bool begun_ = false;
  bool not_modified_ = false;
};

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
  const std::string tag = TagOf(method, **request);
  const bool ranged = TakeRange(exchange.head(), method, tag, request->get());
  info.deadline = DeadlineFor(method, **request, exchange.head());
  const auto call = StreamCall::Start(*upstream_, info, exchange.executor());
  exchange.OnGone([call] { call->Cancel(); });
  grpc::ByteBuffer first = ToBytes(**request);
  const bool taken = co_await call->Write(std::move(first));
  if (taken) call->WritesDone();
  Download download(exchange, method, tag, ranged);
  grpc::ByteBuffer bytes;
  while (co_await call->Read(kForever, &bytes) == Outcome::kMessage) {
    if (!co_await download.Take(bytes)) break;
  }
  const absl::Status status = co_await call->Finish();
  exchange.OnGone(nullptr);
  co_await download.Close(status);
}

}  // namespace switchyard::gateway
