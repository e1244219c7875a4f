// What makes the repeat of a call safe, taken from a request. Thread-safe: pure functions.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/hash/sha256.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/server_context.h"
#include "scheduler/engine/engine.h"

namespace switchyard::scheduler {

// Metadata in which a gateway passes an id of its own making, for bodies that have none.
inline constexpr char kRequestIdMetadata[] = "switchyard-request-id";

// The deterministic bytes of `message`: equal messages, equal bytes.
std::string DeterministicBytes(const google::protobuf::MessageLite& message);

// `request_id` is the body's, and wins over the metadata's. INVALID_ARGUMENT (field request_id)
// when it has another form. The hash is left empty: it is worth making only when there is an id.
absl::StatusOr<RequestIdentity> IdentityOf(const grpc::ServerContextBase& context,
                                           absl::string_view method, absl::string_view request_id);

// The same with the hash of `request`, whose own request_id does not count.
template <typename Request>
absl::StatusOr<RequestIdentity> IdentityOf(const grpc::ServerContextBase& context,
                                           absl::string_view method, const Request& request) {
  absl::StatusOr<RequestIdentity> identity =
      IdentityOf(context, method, absl::string_view(request.request_id()));
  if (!identity.ok() || identity->request_id.empty()) return identity;
  Request body = request;
  body.clear_request_id();
  identity->body_sha256 = Sha256Bytes(DeterministicBytes(body));
  return identity;
}

}  // namespace switchyard::scheduler
