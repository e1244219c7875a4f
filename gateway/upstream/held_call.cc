#include "gateway/upstream/held_call.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "absl/time/clock.h"

namespace switchyard::gateway {

namespace asio = boost::asio;

std::optional<absl::Duration> Backoff::Next(absl::Time now, absl::Time until) {
  const absl::Duration step = next_;
  if (now + step >= until) return std::nullopt;
  next_ = std::min(step * 2, absl::Milliseconds(500));
  return step;
}

asio::awaitable<absl::StatusOr<grpc::ByteBuffer>> CallHeld(Upstream& upstream, const CallInfo& info,
                                                           grpc::ByteBuffer request,
                                                           bool repeatable, CancelSwitch* cancel) {
  const absl::Time until = std::min(info.deadline, absl::Now() + kLongestHold);
  Backoff backoff;
  while (true) {
    // A copy shares the bytes.
    absl::StatusOr<grpc::ByteBuffer> result = co_await CallUnary(upstream, info, request, cancel);
    if (result.ok() || !repeatable || !MayRepeat(result.status()) || cancel->cancelled()) {
      co_return result;
    }
    const std::optional<absl::Duration> pause = backoff.Next(absl::Now(), until);
    if (!pause.has_value()) co_return result;
    asio::steady_timer timer(co_await asio::this_coro::executor, absl::ToChronoNanoseconds(*pause));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace switchyard::gateway
