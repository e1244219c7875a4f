#include "gateway/http/connection.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/status/error.h"
#include "gateway/http/head_check.h"
#include "gateway/transcode/problem.h"

namespace switchyard::gateway::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using beast::error_code;
using beast::http::error;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr uint32_t kMaxHeadBytes = 32 * 1024;
constexpr size_t kReadBytes = 16 * 1024;
// An answer up to this size goes out in one write with its head.
constexpr size_t kJoinBytes = 16 * 1024;
constexpr uint64_t kMaxLingerBytes = 1024 * 1024;

// RFC 9110's date, made once a second.
const std::string& DateNow() {
  thread_local std::time_t made_at = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    made_at = now;
    std::tm fields;
    gmtime_r(&now, &fields);
    char buffer[64];
    text.assign(buffer,
                std::strftime(buffer, sizeof(buffer), "%a, %d %b %Y %H:%M:%S GMT", &fields));
  }
  return text;
}

int StatusFor(error_code fault) {
  if (fault == error::header_limit) return 431;
  if (fault == error::bad_version) return 505;
  return 400;
}

absl::Status ClientGone() {
  return MakeError(absl::StatusCode::kCancelled, "CLIENT_GONE",
                   "the client went away or sent its body too slowly");
}

absl::Status BodyTooLarge(uint64_t max_bytes) {
  return MakeError(absl::StatusCode::kResourceExhausted, "BODY_TOO_LARGE",
                   absl::StrCat("the body is larger than ", max_bytes, " bytes"),
                   {{"max_bytes", absl::StrCat(max_bytes)}});
}

}  // namespace

Connection::Connection(Socket socket, bool from_unix_socket, const ServerOptions& options,
                       Handler* handler, const std::atomic<bool>* stopping)
    : socket_(std::move(socket)),
      from_unix_socket_(from_unix_socket),
      options_(options),
      handler_(handler),
      stopping_(stopping) {}

void Connection::SetDeadline(std::chrono::milliseconds from_now) {
  deadline_ = std::chrono::steady_clock::now() + from_now;
}

void Connection::MarkGone() {
  gone_ = true;
  keep_alive_ = false;
}

void Connection::Shut() {
  MarkGone();
  error_code ignored;
  socket_.close(ignored);
  if (auto callback = std::exchange(on_gone_, nullptr)) callback();
}

void Connection::Abort() {
  MarkGone();
  error_code ignored;
  socket_.close(ignored);
}

void Connection::StopSoon() {
  if (phase_ == Phase::kIdle) return Shut();
  keep_alive_ = false;
  if (!endless_) return;
  if (auto callback = std::exchange(on_gone_, nullptr)) callback();
}

bool Connection::ClientLeft() {
  char byte;
  const ssize_t read = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return read == 0 || (read < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void Connection::Sweep(TimePoint now) {
  if (gone_) return;
  if (now >= deadline_ || (phase_ == Phase::kHandler && !busy_ && ClientLeft())) Shut();
}

Awaitable<bool> Connection::Fill() {
  busy_ = true;
  const auto [fault, size] =
      co_await socket_.async_read_some(asio::buffer(buffer_.prepare(kReadBytes)), kTuple);
  busy_ = false;
  if (fault) {
    MarkGone();
    co_return false;
  }
  buffer_.commit(size);
  co_return true;
}

Awaitable<bool> Connection::SendAll(absl::string_view data) {
  while (!data.empty() && !gone_) {
    SetDeadline(options_.progress_timeout);
    busy_ = true;
    const auto [fault, size] =
        co_await socket_.async_write_some(asio::buffer(data.data(), data.size()), kTuple);
    busy_ = false;
    if (fault) MarkGone();
    data.remove_prefix(size);
    sent_bytes_ += size;
  }
  ClearDeadline();
  co_return !gone_;
}

// True when the parser wants more bytes than there are.
bool Connection::ParseSome(error_code* fault) {
  if (buffer_.size() == 0) return true;
  buffer_.consume(parser_->put(buffer_.data(), *fault));
  if (*fault == error::need_more) {
    *fault = {};
    return true;
  }
  return false;
}

void Connection::ResetAnswer() {
  status_ = 0;
  sent_bytes_ = 0;
  chunked_ = false;
  endless_ = false;
  continue_sent_ = false;
}

Awaitable<bool> Connection::ReadHead() {
  ResetAnswer();
  phase_ = Phase::kIdle;
  parser_.emplace();
  parser_->header_limit(kMaxHeadBytes);
  // Bodies are counted here, where the limit of the method is known.
  parser_->body_limit(boost::none);
  SetDeadline(options_.idle_timeout);
  while (!parser_->is_header_done()) {
    error_code fault;
    if (ParseSome(&fault)) {
      if (!co_await Fill()) co_return false;
      if (phase_ == Phase::kIdle) SetDeadline(options_.head_timeout);
      phase_ = Phase::kHead;
    }
    if (fault) {
      co_await RefuseParserError(fault);
      co_return false;
    }
  }
  ClearDeadline();
  phase_ = Phase::kHandler;
  TakeHead();
  co_return true;
}

void Connection::TakeHead() {
  const auto& message = parser_->get();
  const auto view = [](auto text) { return absl::string_view(text.data(), text.size()); };
  head_ = RequestHead();
  head_.verb = std::string(view(message.method_string()));
  head_.target = std::string(view(message.target()));
  head_.version = message.version();
  head_.from_unix_socket = from_unix_socket_;
  for (const auto& field : message) {
    head_.headers.Add(view(field.name_string()), view(field.value()));
  }
  keep_alive_ = parser_->keep_alive() && head_.version >= 11;
}

Awaitable<> Connection::Refuse(int status, std::string detail) {
  keep_alive_ = false;
  Response response;
  response.head.status = status;
  response.head.content_type = "application/problem+json";
  response.body =
      ProblemJson(MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_REQUEST", detail),
                  head_.path(), status);
  co_await Respond(std::move(response));
  LogDebug("request refused", {{"status", status}, {"detail", detail}});
}

Awaitable<> Connection::RefuseParserError(error_code fault) {
  head_ = RequestHead();
  // Only to be asked for what it never had: nothing more is read.
  co_await Refuse(StatusFor(fault), absl::StrCat("not an HTTP request: ", fault.message()));
  co_await Linger();
}

Awaitable<> Connection::Run() {
  const auto self = shared_from_this();
  do {
    if (!co_await ReadHead()) break;
    if (auto refusal = CheckHead(head_)) {
      co_await Refuse(refusal->status, refusal->detail);
    } else {
      co_await handler_->Handle(*this);
    }
    on_gone_ = nullptr;
    if (status_ == 0 && !gone_) co_await Refuse(500, "the handler gave no answer");
  } while (keep_alive_ && !gone_ && !*stopping_);
  if (!gone_ && parser_.has_value() && !parser_->is_done()) co_await Linger();
  MarkGone();
  error_code ignored;
  socket_.close(ignored);
}

// Closing with unread bytes in the socket would reset the connection, and the client might never
// see the answer.
Awaitable<> Connection::Linger() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  SetDeadline(std::chrono::seconds(2));
  for (uint64_t dropped = 0; dropped < kMaxLingerBytes && !gone_;) {
    buffer_.consume(buffer_.size());
    if (!co_await Fill()) break;
    dropped += buffer_.size();
  }
  ClearDeadline();
}

std::optional<uint64_t> Connection::body_length() const {
  if (parser_->chunked()) return std::nullopt;
  const auto length = parser_->content_length();
  return length ? *length : 0;
}

Awaitable<bool> Connection::SendContinue() {
  if (continue_sent_ || head_.headers.Find("Expect").empty()) co_return true;
  continue_sent_ = true;
  const uint64_t before = sent_bytes_;
  const bool sent = co_await SendAll("HTTP/1.1 100 Continue\r\n\r\n");
  sent_bytes_ = before;
  co_return sent;
}

Awaitable<absl::StatusOr<std::string>> Connection::ReadPiece(size_t max_bytes) {
  if (parser_->is_done()) co_return std::string();
  if (!co_await SendContinue()) co_return ClientGone();
  std::string piece(max_bytes, '\0');
  auto& body = parser_->get().body();
  body.data = piece.data();
  body.size = max_bytes;
  body.more = true;
  while (!parser_->is_done() && body.size == max_bytes) {
    error_code fault;
    SetDeadline(options_.progress_timeout);
    if (ParseSome(&fault) && !co_await Fill()) co_return ClientGone();
    if (fault && fault != error::need_buffer) {
      keep_alive_ = false;
      co_return MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_BODY",
                          absl::StrCat("the body is broken: ", fault.message()));
    }
  }
  ClearDeadline();
  piece.resize(max_bytes - body.size);
  body.data = nullptr;
  body.size = 0;
  co_return piece;
}

Awaitable<absl::StatusOr<std::string>> Connection::ReadBody(uint64_t max_bytes) {
  const std::optional<uint64_t> length = body_length();
  if (length.has_value() && *length > max_bytes) co_return BodyTooLarge(max_bytes);
  // Never more at once than what came: a promised length is not yet a body.
  constexpr uint64_t kPiece = 256 * 1024;
  std::string whole;
  while (true) {
    const uint64_t left = length.value_or(kPiece + whole.size()) - whole.size();
    const size_t wanted = std::max<uint64_t>(1, std::min(left, kPiece));
    absl::StatusOr<std::string> piece = co_await ReadPiece(wanted);
    if (!piece.ok()) co_return piece.status();
    if (piece->empty()) co_return whole;
    if (whole.size() + piece->size() > max_bytes) co_return BodyTooLarge(max_bytes);
    if (whole.empty()) {
      whole = *std::move(piece);
    } else {
      whole.append(*piece);
    }
  }
}

std::string Connection::HeadText(const ResponseHead& head, std::optional<uint64_t> length) {
  status_ = head.status;
  std::string text = absl::StrCat("HTTP/1.1 ", head.status, " ", ReasonPhrase(head.status),
                                  "\r\nDate: ", DateNow(), "\r\n");
  if (!head.content_type.empty()) {
    absl::StrAppend(&text, "Content-Type: ", head.content_type, "\r\n");
  }
  for (const auto& [name, value] : head.headers) absl::StrAppend(&text, name, ": ", value, "\r\n");
  // 304 would have to tell the length of what it does not send.
  if (length.has_value() && head.status != 204 && head.status != 304) {
    absl::StrAppend(&text, "Content-Length: ", *length, "\r\n");
  }
  if (chunked_) text.append("Transfer-Encoding: chunked\r\n");
  // A body that was not read to its end leaves the connection in no state for another request.
  if (!parser_->is_done() || *stopping_) keep_alive_ = false;
  if (!keep_alive_) text.append("Connection: close\r\n");
  text.append("\r\n");
  return text;
}

Awaitable<> Connection::Respond(Response response) {
  std::string text = HeadText(response.head, response.body.size());
  const bool with_body =
      head_.verb != "HEAD" && response.head.status != 204 && response.head.status != 304;
  if (!with_body) response.body.clear();
  if (text.size() + response.body.size() <= kJoinBytes) {
    text.append(response.body);
    co_await SendAll(text);
    co_return;
  }
  if (co_await SendAll(text)) co_await SendAll(response.body);
}

Awaitable<bool> Connection::Begin(ResponseHead head, std::optional<uint64_t> length) {
  endless_ = !length.has_value();
  if (endless_) {
    chunked_ = head_.version >= 11;
    if (!chunked_) keep_alive_ = false;
  }
  const std::string text = HeadText(head, length);
  const bool sent = co_await SendAll(text);
  co_return sent&& head_.verb != "HEAD";
}

Awaitable<bool> Connection::Write(std::string piece) {
  if (head_.verb == "HEAD") co_return false;
  if (piece.empty()) co_return !gone_;
  if (chunked_) {
    piece = absl::StrCat(absl::Hex(piece.size()), "\r\n", piece, "\r\n");
  }
  co_return co_await SendAll(piece);
}

Awaitable<bool> Connection::End() {
  endless_ = false;
  if (!chunked_ || head_.verb == "HEAD") co_return !gone_;
  co_return co_await SendAll("0\r\n\r\n");
}

}  // namespace switchyard::gateway::http
