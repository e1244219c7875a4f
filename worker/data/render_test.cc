#include "worker/data/render.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "worker/data/fft.h"

namespace switchyard::worker {
namespace {

using Samples = std::vector<std::complex<float>>;

Samples Tone(double cycles_per_sample, int size) {
  Samples samples(size);
  for (int n = 0; n < size; ++n) {
    samples[n] = std::complex<float>(std::polar(1.0, 2 * M_PI * cycles_per_sample * n));
  }
  return samples;
}

// Brightest column of the middle row of a channel.
int Brightest(const std::vector<uint8_t>& pixels, int channel, int size) {
  const auto row = pixels.begin() + channel * size * size + (size / 2) * size;
  return static_cast<int>(std::max_element(row, row + size) - row);
}

TEST(Fft, AgreesWithTheDefinition) {
  constexpr int kSize = 16;
  Samples data(kSize);
  for (int n = 0; n < kSize; ++n) data[n] = {std::sin(0.7f * n), std::cos(1.3f * n * n)};
  Samples got = data;
  Fft(kSize).Transform(got.data());
  for (int k = 0; k < kSize; ++k) {
    std::complex<double> want = 0;
    for (int n = 0; n < kSize; ++n) {
      want += std::complex<double>(data[n]) * std::polar(1.0, -2 * M_PI * k * n / kSize);
    }
    EXPECT_NEAR(std::abs(want - std::complex<double>(got[k])), 0, 1e-4);
  }
}

TEST(RenderImage, KeepsAnImageOfTheRightSize) {
  const Image image{2, 2, 1, {1, 2, 3, 4}};
  EXPECT_EQ(RenderImage(image, {1, 2}), (std::vector<uint8_t>{1, 2, 3, 4}));
}

TEST(RenderImage, AveragesWhenItShrinks) {
  Image image{4, 4, 1, std::vector<uint8_t>(16)};
  for (int i = 0; i < 16; ++i) image.pixels[i] = i % 2 == 0 ? 0 : 200;
  const std::vector<uint8_t> small = RenderImage(image, {1, 1});
  EXPECT_NEAR(small[0], 100, 1);
}

TEST(RenderImage, PutsOnePlaneAfterTheOther) {
  const Image image{1, 1, 3, {10, 20, 30}};
  const std::vector<uint8_t> pixels = RenderImage(image, {3, 2});
  EXPECT_EQ(pixels, (std::vector<uint8_t>{10, 10, 10, 10, 20, 20, 20, 20, 30, 30, 30, 30}));
  EXPECT_EQ(RenderImage(image, {1, 1})[0], 18);  // 0.299 R + 0.587 G + 0.114 B.
}

TEST(Spectrogram, ShowsAToneAtItsFrequency) {
  constexpr int kSize = 64;
  for (const double frequency : {-0.25, 0.0, 0.125, 0.4}) {
    const auto pixels = RenderSpectrogram(Tone(frequency, 8192), {1, kSize});
    ASSERT_TRUE(pixels.ok()) << pixels.status();
    EXPECT_NEAR(Brightest(*pixels, 0, kSize), (frequency + 0.5) * kSize, 1) << frequency;
  }
}

TEST(Spectrogram, ShowsPowersOfTheSignalInFurtherChannels) {
  constexpr int kSize = 64;
  const auto pixels = RenderSpectrogram(Tone(0.05, 8192), {3, kSize});
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  EXPECT_NEAR(Brightest(*pixels, 1, kSize), (0.1 + 0.5) * kSize, 1);
  EXPECT_NEAR(Brightest(*pixels, 2, kSize), (0.2 + 0.5) * kSize, 1);
}

TEST(Spectrogram, DoesNotDependOnTheGain) {
  Samples samples = Tone(0.1, 4096);
  samples[7] = {3, 1};
  Samples loud = samples;
  for (auto& sample : loud) sample *= 4096.0f;
  EXPECT_EQ(*RenderSpectrogram(samples, {1, 32}), *RenderSpectrogram(loud, {1, 32}));
}

TEST(Spectrogram, TakesSegmentsFrom64Samples) {
  EXPECT_TRUE(RenderSpectrogram(Tone(0.1, 64), {1, 64}).ok());
  EXPECT_FALSE(RenderSpectrogram(Tone(0.1, 63), {1, 64}).ok());
  EXPECT_FALSE(RenderSpectrogram(Samples(1000), {1, 64}).ok());
  Samples broken = Tone(0.1, 1000);
  broken[5] = {NAN, 0};
  EXPECT_FALSE(RenderSpectrogram(broken, {1, 64}).ok());
}

}  // namespace
}  // namespace switchyard::worker
