// One streaming call, in either or both directions, as something a coroutine reads and writes.
//
// Back-pressure: one message is read ahead at most, and one is being written. All methods are for
// the executor's thread, and one coroutine at a time. Owned by shared_ptr; gRPC holds it too until
// the call is over.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "gateway/upstream/upstream.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"

namespace switchyard::gateway {

class StreamCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  enum class Outcome { kMessage, kEnd, kTimeout };
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;

  // Starts the call.
  static std::shared_ptr<StreamCall> Start(Upstream& upstream, const CallInfo& info,
                                           boost::asio::any_io_executor executor);

  // False when the other side takes no more: ask Finish why.
  Awaitable<bool> Write(grpc::ByteBuffer message);
  void WritesDone();
  // Waits so long for the next message. kTimeout: nothing came, and the next call waits on. kEnd:
  // ask Finish why.
  Awaitable<Outcome> Read(std::chrono::nanoseconds limit, grpc::ByteBuffer* message);
  // How the call ended. Cancels it when it has not. Every call must be finished or cancelled.
  Awaitable<absl::Status> Finish();
  // Ends the call; what waits comes back at once. Idempotent.
  void Cancel();
  // Makes a waiting Read return kTimeout now.
  void Wake() { read_event_.cancel(); }

 private:
  enum class State { kIdle, kPending, kDone, kFailed };

  StreamCall(boost::asio::any_io_executor executor);
  void Release();
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  boost::asio::any_io_executor executor_;
  grpc::ClientContext context_;
  std::optional<Flight> flight_;  // Until OnDone.
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  State read_ = State::kIdle;
  State write_ = State::kIdle;
  bool writes_done_ = false;
  bool released_ = false;
  std::optional<absl::Status> status_;
  // Used as condition variables: cancelling wakes.
  boost::asio::steady_timer read_event_;
  boost::asio::steady_timer write_event_;
  boost::asio::steady_timer done_event_;
  // Until OnDone.
  std::shared_ptr<StreamCall> self_;
};

}  // namespace switchyard::gateway
