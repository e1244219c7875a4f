#include "gateway/upstream/held_call.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/error.h"

namespace switchyard::gateway {

namespace asio = boost::asio;

std::optional<absl::Duration> Backoff::Next(absl::Time now, absl::Time until) {
  const absl::Duration step = next_;
  if (now + step >= until) return std::nullopt;
  next_ = std::min(step * 2, absl::Milliseconds(500));
  return step;
}

absl::Status ExplainUnavailable(const absl::Status& status) {
  const bool explained = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo").has_value();
  if (!absl::IsUnavailable(status) || explained) return status;
  return WithRetryDelay(
      MakeError(absl::StatusCode::kUnavailable, "SCHEDULER_UNREACHABLE",
                absl::StrCat("the scheduler does not answer; repeat the call: ", status.message())),
      absl::Seconds(1));
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
      if (result.ok()) co_return result;
      co_return ExplainUnavailable(result.status());
    }
    const std::optional<absl::Duration> pause = backoff.Next(absl::Now(), until);
    if (!pause.has_value()) co_return ExplainUnavailable(result.status());
    asio::steady_timer timer(co_await asio::this_coro::executor, absl::ToChronoNanoseconds(*pause));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace switchyard::gateway
