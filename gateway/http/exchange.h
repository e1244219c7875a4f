// One request and its answer, as the server hands it to a handler.
//
// Not thread-safe: used on its connection's thread only, which `executor()` is. The server owns it;
// it lives until Handle's coroutine ends. A handler gives exactly one answer: Respond, or Begin,
// Write..., End.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/http/message.h"

namespace switchyard::gateway::http {

// GCC 12 miscompiles some expressions around co_await (seen: a Status freed twice, a trap). So in
// coroutines: no ?: that makes objects, and no && or || over a co_await whose arguments are objects
// made in place; name them first.
template <typename T = void>
using Awaitable = boost::asio::awaitable<T>;

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const RequestHead& head() const = 0;
  virtual boost::asio::any_io_executor executor() = 0;
  // What Content-Length says; nothing for chunked bodies; 0 without a body.
  virtual std::optional<uint64_t> body_length() const = 0;

  // The whole body. RESOURCE_EXHAUSTED (reason BODY_TOO_LARGE) over `max_bytes`, judged from
  // Content-Length where it is given; INVALID_ARGUMENT for broken chunks; CANCELLED when the client
  // went away or was too slow.
  virtual Awaitable<absl::StatusOr<std::string>> ReadBody(uint64_t max_bytes) = 0;
  // The next piece, 1 to `max_bytes`; empty at the end. Reads no further than asked: the client
  // waits meanwhile.
  virtual Awaitable<absl::StatusOr<std::string>> ReadPiece(size_t max_bytes) = 0;

  virtual Awaitable<> Respond(Response response) = 0;
  // Without a length the body goes chunked. All three: false when the client is gone.
  virtual Awaitable<bool> Begin(ResponseHead head, std::optional<uint64_t> length) = 0;
  virtual Awaitable<bool> Write(std::string piece) = 0;
  virtual Awaitable<bool> End() = 0;
  // Cuts the connection: the only way to say that a begun answer failed.
  virtual void Abort() = 0;

  // Called at most once, when the client went away while the handler waits, or when the server
  // stops and this answer is a stream without end. Set to nothing before what it refers to goes.
  virtual void OnGone(std::function<void()> callback) = 0;
  virtual bool gone() const = 0;
  virtual bool stopping() const = 0;

  // For logs and metrics, once answered. 0 before; 499 when the client left first.
  virtual int status() const = 0;
  virtual uint64_t sent_bytes() const = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Called on many threads at once, once per request.
  virtual Awaitable<> Handle(Exchange& exchange) = 0;
};

}  // namespace switchyard::gateway::http
