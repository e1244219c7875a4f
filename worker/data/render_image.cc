#include <algorithm>
#include <cmath>

#include "worker/data/render.h"

namespace switchyard::worker {
namespace {

// Which source pixels make one destination pixel, and how much of each.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Taps> MakeTaps(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double reach = std::max(scale, 1.0);
  std::vector<Taps> all(to);
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(std::floor(centre - reach)));
    const int last = std::min(from - 1, static_cast<int>(std::ceil(centre + reach)));
    double sum = 0;
    all[i].first = first;
    for (int j = first; j <= last; ++j) {
      const double weight = std::max(0.0, 1 - std::abs(j + 0.5 - centre) / reach);
      all[i].weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : all[i].weights) weight /= static_cast<float>(sum);
  }
  return all;
}

// One plane of floats, rows first.
struct Plane {
  int width;
  int height;
  std::vector<float> values;
};

Plane ResizeWidth(const Plane& in, int width) {
  const std::vector<Taps> taps = MakeTaps(in.width, width);
  Plane out{width, in.height, std::vector<float>(static_cast<size_t>(width) * in.height)};
  for (int y = 0; y < in.height; ++y) {
    const float* row = in.values.data() + static_cast<size_t>(y) * in.width;
    for (int x = 0; x < width; ++x) {
      float sum = 0;
      for (size_t k = 0; k < taps[x].weights.size(); ++k) {
        sum += taps[x].weights[k] * row[taps[x].first + k];
      }
      out.values[static_cast<size_t>(y) * width + x] = sum;
    }
  }
  return out;
}

Plane ResizeHeight(const Plane& in, int height) {
  const std::vector<Taps> taps = MakeTaps(in.height, height);
  Plane out{in.width, height, std::vector<float>(static_cast<size_t>(in.width) * height)};
  for (int y = 0; y < height; ++y) {
    float* to = out.values.data() + static_cast<size_t>(y) * in.width;
    for (size_t k = 0; k < taps[y].weights.size(); ++k) {
      const float* row = in.values.data() + (taps[y].first + k) * in.width;
      for (int x = 0; x < in.width; ++x) to[x] += taps[y].weights[k] * row[x];
    }
  }
  return out;
}

// Channel `channel` of `channels` wanted ones.
Plane TakeChannel(const Image& image, int channel, int channels) {
  const size_t count = static_cast<size_t>(image.width) * image.height;
  Plane plane{image.width, image.height, std::vector<float>(count)};
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* pixel = image.pixels.data() + i * image.channels;
    if (image.channels == 1) {
      plane.values[i] = pixel[0];
    } else if (channels == 1) {
      plane.values[i] = 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
    } else {
      plane.values[i] = pixel[channel];
    }
  }
  return plane;
}

}  // namespace

std::vector<uint8_t> RenderImage(const Image& image, const InputShape& shape) {
  std::vector<uint8_t> out;
  out.reserve(shape.bytes());
  for (int channel = 0; channel < shape.channels; ++channel) {
    const Plane plane =
        ResizeHeight(ResizeWidth(TakeChannel(image, channel, shape.channels), shape.image_size),
                     shape.image_size);
    for (const float value : plane.values) {
      out.push_back(static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L)));
    }
  }
  return out;
}

}  // namespace switchyard::worker
