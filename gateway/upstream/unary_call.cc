#include "gateway/upstream/unary_call.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "common/rpc/status.h"
#include "common/status/error.h"

namespace switchyard::gateway {
namespace {

namespace asio = boost::asio;

// What gRPC needs to find in place until it is done.
struct Call {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::optional<Flight> flight;  // Last: it looks after the context.
};

// `wake` is run on `executor` once the call is done.
asio::awaitable<void> Await(grpc::GenericStub& stub, const std::string& method, Call* call) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto start = [&stub, &method, call, executor](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    stub.UnaryCall(&call->context, method, {}, &call->request, &call->response,
                   [call, executor, shared](grpc::Status status) {
                     call->status = std::move(status);
                     asio::post(executor, [shared] { std::move (*shared)(); });
                   });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
}

}  // namespace

void CancelSwitch::Cancel() {
  cancelled_ = true;
  if (const auto call = call_.lock()) call->TryCancel();
}

asio::awaitable<absl::StatusOr<grpc::ByteBuffer>> CallUnary(Upstream& upstream,
                                                            const CallInfo& info,
                                                            grpc::ByteBuffer request,
                                                            CancelSwitch* cancel) {
  if (cancel->cancelled_) co_return absl::CancelledError("the caller went away");
  const auto call = std::make_shared<Call>();
  call->request = std::move(request);
  FillContext(info, &call->context);
  cancel->call_ = std::shared_ptr<grpc::ClientContext>(call, &call->context);
  call->flight.emplace(upstream, info.method, &call->context);
  co_await Await(call->flight->stub(), info.method, call.get());
  call->status = call->flight->Outcome(call->status);
  call->flight.reset();
  if (!call->status.ok()) co_return FromGrpc(call->status);
  co_return std::move(call->response);
}

bool MayRepeat(const absl::Status& status) { return absl::IsUnavailable(status); }

}  // namespace switchyard::gateway
