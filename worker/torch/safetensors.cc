#include "worker/torch/safetensors.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/status/error.h"

namespace switchyard::worker {
namespace {

using simdjson::dom::element;

constexpr size_t kLengthBytes = 8;
// The reference implementation's own bound.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxRank = 16;

struct TypeName {
  ElementType type;
  absl::string_view name;
  size_t bytes;
};
constexpr TypeName kTypes[] = {
    {ElementType::kFloat32, "F32", 4},   {ElementType::kFloat16, "F16", 2},
    {ElementType::kBFloat16, "BF16", 2}, {ElementType::kFloat64, "F64", 8},
    {ElementType::kInt64, "I64", 8},     {ElementType::kInt32, "I32", 4},
    {ElementType::kUint8, "U8", 1},
};

absl::Status Bad(absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_SAFETENSORS",
                   absl::StrCat("not a usable safetensors file: ", why));
}
absl::Status BadTensor(absl::string_view name, absl::string_view why) {
  return Bad(absl::StrCat("tensor '", name, "' ", why));
}

// Length of the JSON header.
absl::StatusOr<uint64_t> HeaderLength(absl::string_view file) {
  if (file.size() < kLengthBytes) return Bad("it is shorter than 8 bytes");
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) length = length << 8 | static_cast<uint8_t>(file[i]);
  if (length > kMaxHeaderBytes || length > file.size() - kLengthBytes) {
    return Bad(absl::StrCat("its header claims ", length, " bytes of a file of ", file.size()));
  }
  return length;
}

absl::Status ReadType(absl::string_view name, const element& entry, TensorView& tensor) {
  std::string_view text;
  if (entry["dtype"].get(text) != simdjson::SUCCESS) return BadTensor(name, "has no dtype");
  for (const TypeName& type : kTypes) {
    if (type.name != absl::string_view(text.data(), text.size())) continue;
    tensor.type = type.type;
    return absl::OkStatus();
  }
  return BadTensor(name, absl::StrCat("has dtype '", absl::string_view(text.data(), text.size()),
                                      "', which is not read"));
}

// Gives the bytes the shape needs.
absl::StatusOr<uint64_t> ReadShape(absl::string_view name, const element& entry,
                                   TensorView& tensor) {
  simdjson::dom::array sides;
  if (entry["shape"].get(sides) != simdjson::SUCCESS || sides.size() > kMaxRank) {
    return BadTensor(name, "has no usable shape");
  }
  uint64_t bytes = ElementBytes(tensor.type);
  for (const element side : sides) {
    uint64_t length = 0;
    if (side.get(length) != simdjson::SUCCESS || length > (uint64_t{1} << 40) ||
        __builtin_mul_overflow(bytes, length, &bytes)) {
      return BadTensor(name, "has a shape that is too large or not counts");
    }
    tensor.shape.push_back(static_cast<int64_t>(length));
  }
  return bytes;
}

absl::Status ReadBytes(absl::string_view name, const element& entry, uint64_t needed,
                       absl::string_view data, TensorView& tensor) {
  uint64_t begin = 0;
  uint64_t end = 0;
  if (entry["data_offsets"].at(0).get(begin) != simdjson::SUCCESS ||
      entry["data_offsets"].at(1).get(end) != simdjson::SUCCESS) {
    return BadTensor(name, "has no data_offsets");
  }
  if (begin > end || end > data.size()) {
    return BadTensor(
        name, absl::StrCat("lies at ", begin, " to ", end, " of ", data.size(), " bytes of data"));
  }
  if (end - begin != needed) {
    return BadTensor(name, absl::StrCat("has ", end - begin, " bytes; its shape needs ", needed));
  }
  tensor.bytes = data.substr(begin, end - begin);
  return absl::OkStatus();
}

absl::StatusOr<TensorView> ReadTensor(absl::string_view name, const element& entry,
                                      absl::string_view data) {
  TensorView tensor;
  absl::Status status = ReadType(name, entry, tensor);
  if (!status.ok()) return status;
  const absl::StatusOr<uint64_t> needed = ReadShape(name, entry, tensor);
  if (!needed.ok()) return needed.status();
  status = ReadBytes(name, entry, *needed, data, tensor);
  if (!status.ok()) return status;
  return tensor;
}

absl::Status ReadMetadata(const element& entry, Safetensors& content) {
  simdjson::dom::object object;
  if (entry.get(object) != simdjson::SUCCESS) return Bad("__metadata__ is not an object");
  for (const auto [key, value] : object) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return Bad("__metadata__ holds more than strings");
    content.metadata[std::string(key)] = std::string(text);
  }
  return absl::OkStatus();
}

// The format forbids holes and overlaps: together they could hide data or make a small file claim a
// large one.
absl::Status CheckTiling(const Safetensors& content, absl::string_view data) {
  std::vector<absl::string_view> pieces;
  for (const auto& [name, tensor] : content.tensors) pieces.push_back(tensor.bytes);
  std::sort(pieces.begin(), pieces.end(), [](absl::string_view a, absl::string_view b) {
    return std::pair(a.data(), a.size()) < std::pair(b.data(), b.size());
  });
  const char* at = data.data();
  for (const absl::string_view piece : pieces) {
    if (piece.data() != at) return Bad("its tensors overlap or leave holes");
    at += piece.size();
  }
  if (at != data.data() + data.size()) return Bad("bytes follow its last tensor");
  return absl::OkStatus();
}

std::string HeaderEntry(const TensorView& tensor, size_t begin) {
  std::string shape;
  for (const int64_t side : tensor.shape) absl::StrAppend(&shape, shape.empty() ? "" : ",", side);
  return absl::StrCat("{\"dtype\":\"", kTypes[static_cast<int>(tensor.type)].name, "\",\"shape\":[",
                      shape, "],\"data_offsets\":[", begin, ",", begin + tensor.bytes.size(), "]}");
}

std::string Header(const Safetensors& content) {
  std::string header = "{";
  if (!content.metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : content.metadata) {
      if (header.back() != '{') header += ',';
      absl::StrAppend(&header, JsonQuote(key), ":", JsonQuote(value));
    }
    header += '}';
  }
  size_t begin = 0;
  for (const auto& [name, tensor] : content.tensors) {
    if (header.size() > 1) header += ',';
    absl::StrAppend(&header, JsonQuote(name), ":", HeaderEntry(tensor, begin));
    begin += tensor.bytes.size();
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

}  // namespace

size_t ElementBytes(ElementType type) { return kTypes[static_cast<int>(type)].bytes; }

absl::StatusOr<Safetensors> ReadSafetensors(absl::string_view file) {
  const absl::StatusOr<uint64_t> length = HeaderLength(file);
  if (!length.ok()) return length.status();
  const absl::string_view data = file.substr(kLengthBytes + *length);
  simdjson::dom::parser parser;
  simdjson::dom::object header;
  const simdjson::error_code error = parser.parse(file.data() + kLengthBytes, *length).get(header);
  if (error != simdjson::SUCCESS) {
    return Bad(absl::StrCat("its header is not a JSON object: ", simdjson::error_message(error)));
  }
  Safetensors content;
  for (const auto [key, entry] : header) {
    const absl::string_view name(key.data(), key.size());
    if (name == "__metadata__") {
      const absl::Status status = ReadMetadata(entry, content);
      if (!status.ok()) return status;
      continue;
    }
    absl::StatusOr<TensorView> tensor = ReadTensor(name, entry, data);
    if (!tensor.ok()) return tensor.status();
    const bool fresh = content.tensors.emplace(std::string(name), *std::move(tensor)).second;
    if (!fresh) return BadTensor(name, "stands twice");
  }
  const absl::Status tiling = CheckTiling(content, data);
  if (!tiling.ok()) return tiling;
  return content;
}

std::string WriteSafetensors(const Safetensors& content) {
  const std::string header = Header(content);
  std::string file;
  size_t total = kLengthBytes + header.size();
  for (const auto& [name, tensor] : content.tensors) total += tensor.bytes.size();
  file.reserve(total);
  for (size_t i = 0; i < kLengthBytes; ++i) file += static_cast<char>(header.size() >> (8 * i));
  file += header;
  for (const auto& [name, tensor] : content.tensors) {
    file.append(tensor.bytes.data(), tensor.bytes.size());
  }
  return file;
}

}  // namespace switchyard::worker
