#include "worker/data/decode.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::worker {

absl::Status CheckImageSize(int64_t width, int64_t height, const ImageLimits& limits) {
  const bool fits = width > 0 && height > 0 && width <= limits.max_side &&
                    height <= limits.max_side && width * height <= limits.max_pixels;
  if (fits) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument, "IMAGE_SIZE",
      absl::StrCat("the image is ", width, "x", height, " pixels; at most ", limits.max_side,
                   " a side and ", limits.max_pixels, " in all are read"));
}

absl::StatusOr<Image> DecodeImage(absl::string_view bytes, const ImageLimits& limits) {
  if (absl::StartsWith(bytes, "\x89PNG")) return DecodePng(bytes, limits);
  if (absl::StartsWith(bytes, "\xff\xd8")) return DecodeJpeg(bytes, limits);
  if (absl::StartsWith(bytes, "BM")) return DecodeBmp(bytes, limits);
  return MakeError(absl::StatusCode::kInvalidArgument, "NOT_AN_IMAGE",
                   bytes.empty() ? "the file is empty" : "the bytes are neither PNG, JPEG nor BMP");
}

}  // namespace switchyard::worker
