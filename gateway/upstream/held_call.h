// A unary call that outlives a scheduler's restart: held and repeated when that does no harm.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "gateway/upstream/unary_call.h"

namespace switchyard::gateway {

// As CallUnary; with `repeatable` (a read, or a write with an id for idempotency) UNAVAILABLE is
// tried again until 10 s or the deadline are over, whichever is first, in steps of 20 ms growing to
// 500 ms.
boost::asio::awaitable<absl::StatusOr<grpc::ByteBuffer>> CallHeld(Upstream& upstream,
                                                                  const CallInfo& info,
                                                                  grpc::ByteBuffer request,
                                                                  bool repeatable,
                                                                  CancelSwitch* cancel);

// gRPC's own UNAVAILABLE (no connection) with what to do about it; every other status as it is.
absl::Status ExplainUnavailable(const absl::Status& status);

// The steps, for every place that waits for a scheduler to come back.
class Backoff {
 public:
  // Nothing when `until` would be passed.
  std::optional<absl::Duration> Next(absl::Time now, absl::Time until);
  void Reset() { next_ = kFirst; }

 private:
  static constexpr absl::Duration kFirst = absl::Milliseconds(20);
  absl::Duration next_ = kFirst;
};

inline constexpr absl::Duration kLongestHold = absl::Seconds(10);

}  // namespace switchyard::gateway
