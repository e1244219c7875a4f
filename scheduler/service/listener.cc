#include "scheduler/service/listener.h"

#include "absl/strings/str_cat.h"
#include "common/net/address.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

// A batch has at most 16 MiB; a worker's first message may carry many finished attempts.
constexpr int kMostMessageBytes = 32 * 1024 * 1024;
// A peer that vanished without a word is noticed within half a minute.
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
// Peers may ping as often as that, also between calls.
constexpr int kLeastPingIntervalMs = 5'000;

}  // namespace

absl::StatusOr<Listener> Listen(const std::string& address,
                                const std::vector<grpc::Service*>& services) {
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(kMostMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT,
                             0);  // A second scheduler must not share the port silently.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLeastPingIntervalMs);
  for (grpc::Service* service : services) builder.RegisterService(service);
  Listener listener;
  listener.server = builder.BuildAndStart();
  if (listener.server == nullptr || port == 0) {
    return MakeError(absl::StatusCode::kUnavailable, "ADDRESS_IN_USE",
                     absl::StrCat("cannot listen on ", address, "; another process may have it"),
                     {{"address", address}});
  }
  if (!parsed->is_unix()) parsed->port = static_cast<uint16_t>(port);
  listener.address = parsed->ToString();
  return listener;
}

}  // namespace switchyard::scheduler
