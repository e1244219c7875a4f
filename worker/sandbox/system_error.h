// An errno as a status that says which call failed on what.
#pragma once

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace switchyard::sandbox {

// Reads errno. FAILED_PRECONDITION "CALL WHAT: Operation not permitted".
inline absl::Status SystemError(absl::string_view call, absl::string_view what = "") {
  const int error = errno;
  return absl::FailedPreconditionError(
      absl::StrCat(call, what.empty() ? "" : " ", what, ": ", std::strerror(error)));
}

}  // namespace switchyard::sandbox
