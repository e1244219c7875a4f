// The border at which torch's exceptions become a Status. For the .cc files of this folder only.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/error.h"

namespace switchyard::worker {

// torch's message without its stack trace. Memory that ran out is told apart by text, because the
// CPU allocator throws a plain c10::Error and cuDNN a plain runtime_error for it.
inline absl::Status TorchError(absl::string_view what) {
  const absl::string_view line = what.substr(0, what.find('\n'));
  if (absl::StrContains(line, "not enough memory") || absl::StrContains(line, "out of memory") ||
      absl::StrContains(line, "bad_alloc")) {
    return MakeError(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                     absl::StrCat("the device's memory ran out (", line,
                                  "); a smaller batch_size or image_size needs less"));
  }
  return absl::InternalError(absl::StrCat("LibTorch: ", line));
}

// Runs `work`, which gives a Status or StatusOr.
template <typename Work>
auto CatchTorch(Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::exception& error) {
    return TorchError(error.what());
  }
}

}  // namespace switchyard::worker
