// A decoded picture: 8 bits a channel, rows from the top, channels interleaved. Plain data.
#pragma once

#include <cstdint>
#include <vector>

namespace switchyard::worker {

struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;             // 1 (grey) or 3 (RGB).
  std::vector<uint8_t> pixels;  // width * height * channels.
};

// What a picture may cost before a byte of it is decoded. Made for untrusted files.
struct ImageLimits {
  int64_t max_pixels = 64 << 20;  // Width times height.
  int max_side = 32768;           // Width or height.
};

}  // namespace switchyard::worker
