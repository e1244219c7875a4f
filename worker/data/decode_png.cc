#include <png.h>

#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/data/decode.h"

namespace switchyard::worker {
namespace {

absl::Status BadPng(absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_IMAGE",
                   absl::StrCat("the PNG cannot be decoded: ", why));
}

}  // namespace

// libpng's simplified API: no setjmp in our code, and the header alone is read first.
absl::StatusOr<Image> DecodePng(absl::string_view bytes, const ImageLimits& limits) {
  png_image png;
  std::memset(&png, 0, sizeof(png));
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> release(&png, png_image_free);
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size())) {
    return BadPng(png.message);
  }
  const absl::Status size = CheckImageSize(png.width, png.height, limits);
  if (!size.ok()) return size;

  const bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0;
  png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Image image{static_cast<int>(png.width), static_cast<int>(png.height), colour ? 3 : 1, {}};
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  // Transparent pixels are laid over black.
  const png_color black = {0, 0, 0};
  if (!png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr)) {
    return BadPng(png.message);
  }
  return image;
}

}  // namespace switchyard::worker
