// An HTTP request's parts into the method's request message. Thread-safe: pure functions.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/transcode/api.h"
#include "google/protobuf/message.h"

namespace switchyard::gateway {

struct RequestParts {
  const PathValues* path = nullptr;
  // After the question mark, still percent-encoded.
  absl::string_view query;
  // JSON; empty: as {}. Not looked at for raw bodies.
  absl::string_view body;
  // Header Idempotency-Key; empty: none. The body's or query's request_id wins.
  absl::string_view idempotency_key;
  // Header Last-Event-ID; empty: none. Wins over the query: a browser that reconnects repeats its
  // first query.
  absl::string_view last_event_id;
};

// INVALID_ARGUMENT names every field at fault: malformed JSON, unknown or ill-typed fields, unknown
// query parameters, a path variable that contradicts the body, a body where the rule takes none.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> BuildRequest(const Binding& binding,
                                                                        const RequestParts& parts);

// True when the method has a request_id and `request` leaves it empty.
bool LacksRequestId(const Method& method, const google::protobuf::Message& request);
// REQUIRES: LacksRequestId.
void SetRequestId(const Method& method, absl::string_view id, google::protobuf::Message* request);

}  // namespace switchyard::gateway
