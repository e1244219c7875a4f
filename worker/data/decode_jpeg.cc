#include <csetjmp>
#include <cstddef>
#include <cstdio>
// libjpeg's headers lean on the two above.
#include <jerror.h>
#include <jpeglib.h>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/data/decode.h"

namespace switchyard::worker {
namespace {

// libjpeg reports fatal errors through a callback that must not return.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
};

void Fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->escape, 1);
}

// A file that ends early makes libjpeg warn and invent the missing pixels; such a file counts as
// unreadable. Its other warnings (stray bytes between markers, as many cameras write them) lose
// nothing.
void FailOnMissingData(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) Fail(info);
}

// Everything between setjmp and longjmp is plain C: no object with a destructor lives in here.
bool ReadHeader(jpeg_decompress_struct& info, JpegErrors& errors, absl::string_view bytes) {
  if (setjmp(errors.escape) != 0) return false;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  return true;
}

bool ReadPixels(jpeg_decompress_struct& info, JpegErrors& errors, uint8_t* pixels, size_t stride) {
  if (setjmp(errors.escape) != 0) return false;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels + info.output_scanline * stride;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

absl::StatusOr<Image> Decode(jpeg_decompress_struct& info, JpegErrors& errors,
                             absl::string_view bytes, const ImageLimits& limits) {
  const auto bad = [&errors] {
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_IMAGE",
                     absl::StrCat("the JPEG cannot be decoded: ", errors.message));
  };
  if (!ReadHeader(info, errors, bytes)) return bad();
  const absl::Status size = CheckImageSize(info.image_width, info.image_height, limits);
  if (!size.ok()) return size;
  Image image{static_cast<int>(info.image_width),
              static_cast<int>(info.image_height),
              info.num_components == 1 ? 1 : 3,
              {}};
  const size_t stride = static_cast<size_t>(image.width) * image.channels;
  image.pixels.resize(stride * image.height);
  if (!ReadPixels(info, errors, image.pixels.data(), stride)) return bad();
  return image;
}

}  // namespace

absl::StatusOr<Image> DecodeJpeg(absl::string_view bytes, const ImageLimits& limits) {
  jpeg_decompress_struct info = {};
  JpegErrors errors = {};
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = Fail;
  errors.base.emit_message = FailOnMissingData;
  errors.base.output_message = [](j_common_ptr) {};
  if (setjmp(errors.escape) != 0) {
    return MakeError(absl::StatusCode::kInvalidArgument, "BAD_IMAGE", errors.message);
  }
  jpeg_create_decompress(&info);
  // Progressive files may need memory for all coefficients; past this libjpeg gives up.
  info.mem->max_memory_to_use = 512L << 20;
  absl::StatusOr<Image> image = Decode(info, errors, bytes, limits);
  jpeg_destroy_decompress(&info);
  return image;
}

}  // namespace switchyard::worker
