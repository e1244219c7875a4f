// A gRPC server as both of the scheduler's listeners need it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"

namespace switchyard::scheduler {

struct Listener {
  std::unique_ptr<grpc::Server> server;
  std::string address;  // Really bound: `HOST:PORT`, or `unix:/path`.
};

// Binds `address` (port 0 takes a free one) and serves `services`, which outlive the server.
// UNAVAILABLE naming the address when it cannot be bound.
absl::StatusOr<Listener> Listen(const std::string& address,
                                const std::vector<grpc::Service*>& services);

}  // namespace switchyard::scheduler
