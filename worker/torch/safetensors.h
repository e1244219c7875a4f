// The safetensors format (github.com/huggingface/safetensors): 8 bytes of header length, a JSON
// header that names each tensor's type, shape and place, then the bytes. Reading and writing
// without LibTorch.
//
// Thread-safe: pure functions over bytes. Made for untrusted files: every offset is checked against
// the file, no overlap or gap is accepted, sizes are computed without overflow. Errors are
// INVALID_ARGUMENT (reason BAD_SAFETENSORS).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace switchyard::worker {

enum class ElementType { kFloat32, kFloat16, kBFloat16, kFloat64, kInt64, kInt32, kUint8 };

size_t ElementBytes(ElementType type);

// One tensor, row-major, little-endian. `bytes` points into the file it was read from or into the
// writer's memory.
struct TensorView {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  absl::string_view bytes;
};

// What a file holds. Views point into the bytes it was read from, which must outlive it.
struct Safetensors {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;  // `__metadata__`.
};

absl::StatusOr<Safetensors> ReadSafetensors(absl::string_view file);

// The same content gives the same bytes: tensors and metadata in the order of their names, header
// padded to 8 bytes. REQUIRES: each tensor's bytes are as many as its shape and type say.
std::string WriteSafetensors(const Safetensors& content);

}  // namespace switchyard::worker
