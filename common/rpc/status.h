// absl::Status <-> grpc::Status. The details travel in grpc-status-details-bin.
#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace switchyard {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace switchyard
