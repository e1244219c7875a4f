// BMP as Microsoft documents it: BITMAPFILEHEADER, a BITMAPINFOHEADER (40 bytes or a later, longer
// one), an optional palette, rows padded to 4 bytes. Compression BI_RGB, and BI_BITFIELDS where the
// masks are the usual BGRA.
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/data/decode.h"

namespace switchyard::worker {
namespace {

absl::Status BadBmp(absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_IMAGE",
                   absl::StrCat("the BMP cannot be decoded: ", why));
}

// REQUIRES: offset + 4 <= bytes.size().
uint32_t U32(absl::string_view bytes, size_t offset) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[offset + i]);
  return value;
}
uint32_t U16(absl::string_view bytes, size_t offset) {
  return static_cast<uint8_t>(bytes[offset]) |
         static_cast<uint32_t>(static_cast<uint8_t>(bytes[offset + 1])) << 8;
}

struct Header {
  size_t pixels_offset = 0;
  size_t palette_offset = 0;
  size_t palette_entries = 0;
  int64_t width = 0;
  int64_t height = 0;
  bool top_down = false;
  int bits = 0;
  size_t stride = 0;
};

constexpr uint32_t kRgb = 0;
constexpr uint32_t kBitFields = 3;

bool UsualMasks(absl::string_view bytes) {
  return bytes.size() >= 66 && U32(bytes, 54) == 0x00ff0000 && U32(bytes, 58) == 0x0000ff00 &&
         U32(bytes, 62) == 0x000000ff;
}

absl::Status CheckLayout(absl::string_view bytes, const Header& header) {
  if (header.bits != 8 && header.bits != 24 && header.bits != 32) {
    return BadBmp(absl::StrCat(header.bits, " bits a pixel; 8, 24 and 32 are read"));
  }
  const uint32_t compression = U32(bytes, 30);
  const bool plain =
      compression == kRgb || (compression == kBitFields && header.bits == 32 && UsualMasks(bytes));
  if (!plain) return BadBmp(absl::StrCat("compression ", compression, " is not read"));
  return absl::OkStatus();
}

absl::StatusOr<Header> ReadHeader(absl::string_view bytes, const ImageLimits& limits) {
  if (bytes.size() < 54) return BadBmp("it ends inside its header");
  const uint32_t info_size = U32(bytes, 14);
  if (info_size < 40) return BadBmp("OS/2 headers are not read");
  Header header;
  header.pixels_offset = U32(bytes, 10);
  header.palette_offset = 14 + static_cast<size_t>(info_size);
  header.width = static_cast<int32_t>(U32(bytes, 18));
  const int64_t height = static_cast<int32_t>(U32(bytes, 22));
  header.top_down = height < 0;
  header.height = std::abs(height);
  header.bits = static_cast<int>(U16(bytes, 28));
  absl::Status status = CheckLayout(bytes, header);
  if (status.ok()) status = CheckImageSize(header.width, header.height, limits);
  if (!status.ok()) return status;
  header.stride = (static_cast<size_t>(header.width) * header.bits + 31) / 32 * 4;
  if (header.bits == 8) {
    const uint32_t used = U32(bytes, 46);
    header.palette_entries = used == 0 ? 256 : used;
  }
  return header;
}

absl::Status CheckExtent(absl::string_view bytes, const Header& header) {
  const size_t pixels = header.stride * static_cast<size_t>(header.height);
  if (header.pixels_offset > bytes.size() || bytes.size() - header.pixels_offset < pixels) {
    return BadBmp("it ends inside its pixels");
  }
  if (header.palette_entries > 256 ||
      header.palette_offset + 4 * header.palette_entries > bytes.size()) {
    return BadBmp("its palette is damaged");
  }
  return absl::OkStatus();
}

// Blue, green, red in the file; RGB in the image.
void CopyColour(absl::string_view bytes, size_t from, uint8_t* to) {
  to[0] = static_cast<uint8_t>(bytes[from + 2]);
  to[1] = static_cast<uint8_t>(bytes[from + 1]);
  to[2] = static_cast<uint8_t>(bytes[from]);
}

absl::Status CopyRow(absl::string_view bytes, const Header& header, size_t row_offset,
                     uint8_t* to) {
  const size_t step = static_cast<size_t>(header.bits) / 8;
  for (int64_t x = 0; x < header.width; ++x) {
    const size_t at = row_offset + static_cast<size_t>(x) * step;
    size_t from = at;
    if (header.bits == 8) {
      const size_t index = static_cast<uint8_t>(bytes[at]);
      if (index >= header.palette_entries) return BadBmp("a pixel is outside its palette");
      from = header.palette_offset + 4 * index;
    }
    CopyColour(bytes, from, to + 3 * x);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Image> DecodeBmp(absl::string_view bytes, const ImageLimits& limits) {
  const absl::StatusOr<Header> header = ReadHeader(bytes, limits);
  if (!header.ok()) return header.status();
  absl::Status status = CheckExtent(bytes, *header);
  if (!status.ok()) return status;
  Image image{static_cast<int>(header->width), static_cast<int>(header->height), 3, {}};
  image.pixels.resize(static_cast<size_t>(image.width) * image.height * 3);
  for (int64_t y = 0; y < header->height; ++y) {
    const int64_t row = header->top_down ? y : header->height - 1 - y;
    const size_t offset = header->pixels_offset + static_cast<size_t>(row) * header->stride;
    status = CopyRow(bytes, *header, offset, image.pixels.data() + y * image.width * 3);
    if (!status.ok()) return status;
  }
  return image;
}

}  // namespace switchyard::worker
