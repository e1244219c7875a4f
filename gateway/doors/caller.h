// What a call brings along besides its message: trace, request id, deadline. Pure functions but for
// the random ids, whose source is injected. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace switchyard::gateway {

class RandomIds {
 public:
  virtual ~RandomIds() = default;
  // So many random bytes in lower-case hex.
  virtual std::string Hex(int bytes) = 0;
  // RFC 4122, version 4.
  std::string Uuid();
};

// Thread-safe; seeded by the system.
RandomIds& SystemRandomIds();

// W3C trace context. A header that is absent or invalid starts a new trace and never fails a call;
// of higher versions the first four fields are read.
struct Trace {
  std::string trace_id;  // 32 hex digits.
  std::string span_id;   // 16: ours, the parent of whatever is called.
  bool sampled = true;
  std::string traceparent() const;
  // True: `tracestate` may be passed on.
  bool continued = false;
};
Trace ContinueTrace(absl::string_view traceparent, RandomIds& ids);

// X-Request-Id when it is 1 to 128 characters of [A-Za-z0-9._:-], else a new one.
std::string AcceptRequestId(absl::string_view header, RandomIds& ids);

// Authorization as it is passed on: with characters that cannot be metadata replaced by `?`, so
// that the scheduler refuses it as it would any other wrong token. Empty stays empty.
std::string AcceptAuthorization(absl::string_view header);

// Header Grpc-Timeout: up to 8 digits and a unit (H, M, S, m, u, n), as on the wire of gRPC.
// Nothing when absent or malformed.
std::optional<absl::Duration> ParseGrpcTimeout(absl::string_view header);

}  // namespace switchyard::gateway
