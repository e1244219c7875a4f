#include "scheduler/service/request_identity.h"

#include "common/status/error.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "scheduler/validation/names.h"

namespace switchyard::scheduler {
namespace {

// The gateway repeats a call it made an id for within seconds or never.
constexpr int64_t kKeepGatewayIdsUs = 10LL * 60 * 1'000'000;

}  // namespace

std::string DeterministicBytes(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

absl::StatusOr<RequestIdentity> IdentityOf(const grpc::ServerContextBase& context,
                                           absl::string_view method, absl::string_view request_id) {
  RequestIdentity identity;
  identity.method = std::string(method);
  if (request_id.empty()) {
    const auto found = context.client_metadata().find(kRequestIdMetadata);
    if (found == context.client_metadata().end()) return identity;
    request_id = absl::string_view(found->second.data(), found->second.size());
    identity.keep_us = kKeepGatewayIdsUs;
  }
  if (!IsRequestId(request_id)) return InvalidField("request_id", kRequestIdForm);
  identity.request_id = std::string(request_id);
  return identity;
}

}  // namespace switchyard::scheduler
