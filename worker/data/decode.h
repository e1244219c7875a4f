// Decodes picture files: PNG (libpng), JPEG (libjpeg-turbo), BMP (own code).
//
// Thread-safe: pure functions. Made for untrusted bytes: size is judged from the header before
// memory is taken, no byte sequence crashes, every error is INVALID_ARGUMENT and says what is
// wrong. Alpha is dropped, 16-bit channels are cut to 8, palettes are resolved; a grey file stays
// grey, everything else becomes RGB.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/image.h"

namespace switchyard::worker {

// By content, never by name.
absl::StatusOr<Image> DecodeImage(absl::string_view bytes, const ImageLimits& limits = {});

absl::StatusOr<Image> DecodePng(absl::string_view bytes, const ImageLimits& limits);
absl::StatusOr<Image> DecodeJpeg(absl::string_view bytes, const ImageLimits& limits);
// Uncompressed, 8 (palette), 24 or 32 bits a pixel, bottom-up or top-down.
absl::StatusOr<Image> DecodeBmp(absl::string_view bytes, const ImageLimits& limits);

// INVALID_ARGUMENT unless both sides are positive and within `limits`. Shared by the decoders.
absl::Status CheckImageSize(int64_t width, int64_t height, const ImageLimits& limits);

}  // namespace switchyard::worker
