// One client connection: reads heads and bodies, lets the handler answer, keeps the connection for
// the next request. Internal to the server.
//
// Not thread-safe: everything happens on the thread of its event loop. Owned by its own coroutine
// (Run) through shared_ptr.
#pragma once

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/http/exchange.h"
#include "gateway/http/server.h"

namespace switchyard::gateway::http {

class Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using TimePoint = std::chrono::steady_clock::time_point;

  Connection(Socket socket, bool from_unix_socket, const ServerOptions& options, Handler* handler,
             const std::atomic<bool>* stopping);

  // Serves until the connection ends.
  Awaitable<> Run();
  // Ends what is late; notices that the client left while nothing is read or written.
  void Sweep(TimePoint now);
  // The server stops: closes when idle, tells an endless answer to end.
  void StopSoon();
  // Ends now, whatever is going on.
  void Shut();

  const RequestHead& head() const override { return head_; }
  boost::asio::any_io_executor executor() override { return socket_.get_executor(); }
  std::optional<uint64_t> body_length() const override;
  Awaitable<absl::StatusOr<std::string>> ReadBody(uint64_t max_bytes) override;
  Awaitable<absl::StatusOr<std::string>> ReadPiece(size_t max_bytes) override;
  Awaitable<> Respond(Response response) override;
  Awaitable<bool> Begin(ResponseHead head, std::optional<uint64_t> length) override;
  Awaitable<bool> Write(std::string piece) override;
  Awaitable<bool> End() override;
  void Abort() override;
  void OnGone(std::function<void()> callback) override { on_gone_ = std::move(callback); }
  bool gone() const override { return gone_; }
  bool stopping() const override { return *stopping_; }
  int status() const override { return status_ == 0 && gone_ ? 499 : status_; }
  uint64_t sent_bytes() const override { return sent_bytes_; }

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  enum class Phase { kIdle, kHead, kHandler };

  Awaitable<bool> ReadHead();
  Awaitable<bool> Fill();
  Awaitable<bool> SendAll(absl::string_view data);
  Awaitable<> Refuse(int status, std::string detail);
  Awaitable<> RefuseParserError(boost::beast::error_code error);
  Awaitable<bool> SendContinue();
  Awaitable<> Linger();
  void TakeHead();
  void ResetAnswer();
  bool ParseSome(boost::beast::error_code* error);
  std::string HeadText(const ResponseHead& head, std::optional<uint64_t> length);
  void SetDeadline(std::chrono::milliseconds from_now);
  void ClearDeadline() { deadline_ = TimePoint::max(); }
  void MarkGone();
  bool ClientLeft();

  Socket socket_;
  const bool from_unix_socket_;
  const ServerOptions& options_;
  Handler* const handler_;
  const std::atomic<bool>* const stopping_;

  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  RequestHead head_;
  Phase phase_ = Phase::kIdle;
  TimePoint deadline_ = TimePoint::max();
  bool busy_ = false;  // A read or a write is under way.
  bool gone_ = false;
  std::function<void()> on_gone_;

  // The answer so far.
  int status_ = 0;
  uint64_t sent_bytes_ = 0;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool endless_ = false;
  bool continue_sent_ = false;
};

}  // namespace switchyard::gateway::http
