#include "worker/data/sigmf.h"

#include <simdjson.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error.h"

namespace switchyard::worker {
namespace {

using simdjson::dom::element;

absl::Status BadSigmf(absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_SIGMF",
                   absl::StrCat("the SigMF metadata cannot be used: ", why));
}

// Absent: `out` keeps its value. False when the value has another type or is negative.
bool ReadCount(const element& object, std::string_view key, int64_t& out) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS) return true;
  return value.get(out) == simdjson::SUCCESS && out >= 0;
}

absl::StatusOr<SigmfAnnotation> ReadAnnotation(const element& object) {
  SigmfAnnotation annotation;
  if (!ReadCount(object, "core:sample_start", annotation.sample_start) ||
      !ReadCount(object, "core:sample_count", annotation.sample_count)) {
    return BadSigmf("an annotation's core:sample_start or core:sample_count is not a count");
  }
  std::string_view label;
  if (object["core:label"].get(label) == simdjson::SUCCESS) annotation.label = label;
  return annotation;
}

absl::Status ReadAnnotations(const element& root, SigmfMetadata& metadata) {
  simdjson::dom::array annotations;
  if (root["annotations"].get(annotations) != simdjson::SUCCESS) return absl::OkStatus();
  for (const element object : annotations) {
    absl::StatusOr<SigmfAnnotation> annotation = ReadAnnotation(object);
    if (!annotation.ok()) return annotation.status();
    metadata.annotations.push_back(*std::move(annotation));
  }
  return absl::OkStatus();
}

absl::Status ReadGlobal(const element& root, SigmfMetadata& metadata) {
  element global;
  std::string_view datatype;
  if (root["global"].get(global) != simdjson::SUCCESS ||
      global["core:datatype"].get(datatype) != simdjson::SUCCESS) {
    return BadSigmf("global.core:datatype is missing");
  }
  absl::StatusOr<SampleType> type =
      ParseSampleType(absl::string_view(datatype.data(), datatype.size()));
  if (!type.ok()) return type.status();
  metadata.type = *type;
  int64_t channels = 1;
  if (!ReadCount(global, "core:num_channels", channels) || channels != 1) {
    return BadSigmf("only recordings with core:num_channels 1 are read");
  }
  double rate = 0;
  if (global["core:sample_rate"].get(rate) == simdjson::SUCCESS) metadata.sample_rate_hz = rate;
  return absl::OkStatus();
}

absl::Status ReadFirstCapture(const element& root, SigmfMetadata& metadata) {
  element capture;
  if (root["captures"].at(0).get(capture) != simdjson::SUCCESS) return absl::OkStatus();
  if (ReadCount(capture, "core:header_bytes", metadata.header_bytes)) return absl::OkStatus();
  return BadSigmf("core:header_bytes is not a count");
}

template <typename T>
T Load(const char* at, bool big_endian) {
  unsigned char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<unsigned char>(at[big_endian ? sizeof(T) - 1 - i : i]);
  }
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// One number, scaled to about [-1, 1].
float LoadNumber(const char* at, const SampleType& type) {
  const bool big = type.big_endian;
  if (type.number == SampleType::Number::kFloat) {
    return type.bits == 32 ? Load<float>(at, big) : static_cast<float>(Load<double>(at, big));
  }
  const double scale = std::ldexp(1.0, type.bits - 1);
  const bool is_signed = type.number == SampleType::Number::kSigned;
  double value = 0;
  switch (type.bits) {
    case 8:
      value = is_signed ? Load<int8_t>(at, big) : Load<uint8_t>(at, big) - 127.5;
      break;
    case 16:
      value = is_signed ? Load<int16_t>(at, big) : Load<uint16_t>(at, big) - 32767.5;
      break;
    default:
      value = is_signed ? Load<int32_t>(at, big) : Load<uint32_t>(at, big) - 2147483647.5;
  }
  return static_cast<float>(value / scale);
}

}  // namespace

absl::StatusOr<SampleType> ParseSampleType(absl::string_view text) {
  SampleType type;
  absl::string_view rest = text;
  const auto unknown = [text] {
    return MakeError(absl::StatusCode::kInvalidArgument, "SIGMF_DATATYPE",
                     absl::StrCat("core:datatype '", text,
                                  "' is not read; cf32_le, ci16_le, ci8, cu8 and their like are"));
  };
  if (absl::ConsumePrefix(&rest, "r")) {
    type.complex = false;
  } else if (!absl::ConsumePrefix(&rest, "c")) {
    return unknown();
  }
  type.big_endian = absl::ConsumeSuffix(&rest, "_be");
  const bool ordered = absl::ConsumeSuffix(&rest, "_le") || type.big_endian;
  if (rest == "f32" || rest == "f64") {
    type.number = SampleType::Number::kFloat;
  } else if (rest == "i8" || rest == "i16" || rest == "i32") {
    type.number = SampleType::Number::kSigned;
  } else if (rest == "u8" || rest == "u16" || rest == "u32") {
    type.number = SampleType::Number::kUnsigned;
  } else {
    return unknown();
  }
  type.bits = absl::EndsWith(rest, "8")    ? 8
              : absl::EndsWith(rest, "16") ? 16
              : absl::EndsWith(rest, "32") ? 32
                                           : 64;
  if (type.bits > 8 && !ordered) return unknown();
  return type;
}

std::vector<std::complex<float>> ConvertSamples(absl::string_view bytes, const SampleType& type) {
  const size_t number_bytes = static_cast<size_t>(type.bits) / 8;
  std::vector<std::complex<float>> samples(bytes.size() / type.bytes_per_sample());
  const char* at = bytes.data();
  for (std::complex<float>& sample : samples) {
    const float real = LoadNumber(at, type);
    const float imaginary = type.complex ? LoadNumber(at + number_bytes, type) : 0.0f;
    sample = {real, imaginary};
    at += type.bytes_per_sample();
  }
  return samples;
}

absl::StatusOr<SigmfMetadata> ParseSigmfMetadata(absl::string_view json) {
  simdjson::dom::parser parser;
  element root;
  const simdjson::error_code error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::SUCCESS) return BadSigmf(simdjson::error_message(error));
  SigmfMetadata metadata;
  absl::Status status = ReadGlobal(root, metadata);
  if (status.ok()) status = ReadFirstCapture(root, metadata);
  if (status.ok()) status = ReadAnnotations(root, metadata);
  if (!status.ok()) return status;
  return metadata;
}

}  // namespace switchyard::worker
