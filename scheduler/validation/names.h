// Forms of the words a caller may write: model names, devices, labels, request ids. Thread-safe:
// pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::scheduler {

// 1 to 63 of [a-z0-9._-], beginning with a letter or digit.
bool IsModelName(absl::string_view text);
inline constexpr char kModelNameForm[] =
    "must be 1 to 63 of [a-z0-9._-] and begin with a letter or digit";

// A registered model: `NAME` (version 0: the latest) or `NAME@VERSION`.
struct ModelReference {
  absl::string_view name;
  uint32_t version = 0;
};
// Nothing when `text` has another form. The name points into `text`.
std::optional<ModelReference> ParseModelReference(absl::string_view text);

// `auto`, `cpu`, `cuda` or `cuda:N`.
bool IsDevice(absl::string_view text);
inline constexpr char kDeviceForm[] = "must be auto, cpu, cuda or cuda:N";

// 1 to 63 of [a-z0-9._/-].
bool IsLabelKey(absl::string_view text);

// 1 to 128 printable ASCII characters.
bool IsRequestId(absl::string_view text);
inline constexpr char kRequestIdForm[] = "must be 1 to 128 printable ASCII characters";

}  // namespace switchyard::scheduler
