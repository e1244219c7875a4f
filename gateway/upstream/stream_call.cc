#include "gateway/upstream/stream_call.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "common/rpc/status.h"

namespace switchyard::gateway {
namespace {

namespace asio = boost::asio;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

StreamCall::StreamCall(asio::any_io_executor executor)
    : executor_(executor),
      read_event_(executor, asio::steady_timer::time_point::max()),
      write_event_(executor, asio::steady_timer::time_point::max()),
      done_event_(executor, asio::steady_timer::time_point::max()) {}

std::shared_ptr<StreamCall> StreamCall::Start(Upstream& upstream, const CallInfo& info,
                                              asio::any_io_executor executor) {
  std::shared_ptr<StreamCall> call(new StreamCall(std::move(executor)));
  call->self_ = call;
  FillContext(info, &call->context_);
  call->flight_.emplace(upstream, info.method, &call->context_);
  call->flight_->stub()
      .PrepareBidiStreamingCall(&call->context_, info.method, {}, call.get());
  // Reads and writes are started from outside gRPC's own callbacks: the hold keeps the call from
  // ending between them.
  call->AddHold();
  call->StartCall();
  return call;
}

void StreamCall::Release() {
  if (!std::exchange(released_, true)) RemoveHold();
}

void StreamCall::Cancel() {
  context_.TryCancel();
  Release();
  read_event_.cancel();
  write_event_.cancel();
}

asio::awaitable<bool> StreamCall::Write(grpc::ByteBuffer message) {
  if (released_ || writes_done_ || write_ == State::kFailed) co_return false;
  outgoing_ = std::move(message);
  write_ = State::kPending;
  StartWrite(&outgoing_);
  while (write_ == State::kPending) {
    write_event_.expires_at(asio::steady_timer::time_point::max());
    co_await write_event_.async_wait(kTuple);
  }
  co_return write_ == State::kDone;
}

void StreamCall::WritesDone() {
  if (!released_ && !std::exchange(writes_done_, true)) StartWritesDone();
}

asio::awaitable<StreamCall::Outcome> StreamCall::Read(std::chrono::nanoseconds limit,
                                                      grpc::ByteBuffer* message) {
  if (read_ == State::kFailed) co_return Outcome::kEnd;
  if (read_ == State::kIdle) {
    if (released_) co_return Outcome::kEnd;
    read_ = State::kPending;
    StartRead(&incoming_);
  }
  if (read_ == State::kPending) {
    read_event_.expires_after(limit);
    co_await read_event_.async_wait(kTuple);
  }
  if (read_ == State::kPending) co_return released_ ? Outcome::kEnd : Outcome::kTimeout;
  if (read_ == State::kFailed) co_return Outcome::kEnd;
  read_ = State::kIdle;
  *message = std::move(incoming_);
  incoming_ = grpc::ByteBuffer();
  co_return Outcome::kMessage;
}

asio::awaitable<absl::Status> StreamCall::Finish() {
  // A call whose reads did not come to their end would go on for ever.
  if (read_ != State::kFailed && !status_.has_value()) context_.TryCancel();
  Release();
  while (!status_.has_value()) {
    done_event_.expires_at(asio::steady_timer::time_point::max());
    co_await done_event_.async_wait(kTuple);
  }
  co_return *status_;
}

void StreamCall::OnReadDone(bool ok) {
  asio::post(executor_, [self = shared_from_this(), ok] {
    self->read_ = ok ? State::kDone : State::kFailed;
    self->read_event_.cancel();
  });
}

void StreamCall::OnWriteDone(bool ok) {
  asio::post(executor_, [self = shared_from_this(), ok] {
    self->write_ = ok ? State::kDone : State::kFailed;
    self->write_event_.cancel();
  });
}

void StreamCall::OnDone(const grpc::Status& status) {
  const grpc::Status outcome = flight_->Outcome(status);
  flight_.reset();
  asio::post(executor_, [self = std::move(self_), status = FromGrpc(outcome)] {
    self->status_ = status;
    self->done_event_.cancel();
  });
}

}  // namespace switchyard::gateway
