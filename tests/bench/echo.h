// A bare gRPC echo between two processes: what a round trip cannot be faster than.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace switchyard::bench {

// Serves until killed; writes its address to the file. The other process of MeasureEcho.
int ServeEcho(const std::string& address_file);

// Times of unary calls of 200 bytes, one at a time, in milliseconds. Starts `program` (this binary)
// as the server.
absl::StatusOr<std::vector<double>> MeasureEcho(const std::string& program,
                                                const std::string& directory, uint64_t calls);

}  // namespace switchyard::bench
