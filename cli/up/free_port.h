// Ports to listen on.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard::cli {

// `address` (HOST:PORT or unix:/PATH) with port 0 replaced by a port that is free now.
// FAILED_PRECONDITION when the port named is in use. Somebody may take it before its user binds it:
// who binds still has to look.
absl::StatusOr<std::string> FreeLoopbackAddress(absl::string_view address);

}  // namespace switchyard::cli
