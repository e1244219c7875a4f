// An error as people read it: what went wrong, which fields, and what to do next.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace switchyard::cli {

// Lines, each ended. `server` is named when it could not be reached. REQUIRES: `status` is an
// error.
std::string ErrorText(const absl::Status& status, const std::string& server);

}  // namespace switchyard::cli
