// The border at which torch's exceptions become a Status. For the .cc files of this folder only.
#pragma once

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/error.h"
#include "worker/torch/memory/counting_allocator.h"

namespace switchyard::worker {

// With the numbers where our own allocator refused; CUDA's says them in its text.
inline absl::Status OutOfDeviceMemory(absl::string_view line) {
  const std::optional<MemoryRefusal> refusal = TakeMemoryRefusal();
  if (!refusal.has_value()) {
    return MakeError(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                     absl::StrCat("the device's memory ran out (", line,
                                  "); a smaller batch_size or image_size needs less"));
  }
  const std::string need = absl::StrCat(refusal->need_bytes);
  const std::string limit = absl::StrCat(refusal->limit_bytes);
  return MakeError(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                   absl::StrCat("memory ran out: ", need, " bytes were needed at once and ", limit,
                                " may be had; a smaller batch_size or image_size needs less"),
                   {{"need_bytes", need}, {"limit_bytes", limit}});
}

// torch's message without its stack trace. Memory that ran out is told apart by text, because the
// CPU allocator throws a plain c10::Error and cuDNN a plain runtime_error for it.
inline absl::Status TorchError(absl::string_view what) {
  const absl::string_view line = what.substr(0, what.find('\n'));
  if (absl::StrContains(line, "not enough memory") || absl::StrContains(line, "out of memory") ||
      absl::StrContains(line, "bad_alloc")) {
    return OutOfDeviceMemory(line);
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
