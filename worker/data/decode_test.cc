#include "worker/data/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <cstdio>
#include <cstring>
// libjpeg's header leans on the two above.
#include <jpeglib.h>

#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string EncodePng(int width, int height, int channels, const std::vector<uint8_t>& pixels) {
  png_image png;
  std::memset(&png, 0, sizeof(png));
  png.version = PNG_IMAGE_VERSION;
  png.width = width;
  png.height = height;
  png.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&png, nullptr, &size, 0, pixels.data(), 0, nullptr);
  std::string bytes(size, '\0');
  png_image_write_to_memory(&png, bytes.data(), &size, 0, pixels.data(), 0, nullptr);
  return bytes;
}

std::string EncodeJpeg(int width, int height, const std::vector<uint8_t>& rgb) {
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &out, &size);
  info.image_width = width;
  info.image_height = height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<uint8_t*>(rgb.data()) + info.next_scanline * width * 3;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char*>(out), size);
  free(out);
  return bytes;
}

std::string Little(uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// Headers of a BMP, then `rest` (palette and rows).
std::string Bmp(int width, int height, int bits, uint32_t palette, const std::string& rest) {
  return "BM" + Little(0, 4) + Little(0, 4) + Little(54 + 4 * palette, 4) + Little(40, 4) +
         Little(static_cast<uint32_t>(width), 4) + Little(static_cast<uint32_t>(height), 4) +
         Little(1, 2) + Little(static_cast<uint32_t>(bits), 2) + Little(0, 4) + Little(0, 4) +
         Little(0, 8) + Little(palette, 4) + Little(0, 4) + rest;
}

// Decodes every prefix and every one-byte change of `bytes`. What counts is that none of them
// crashes.
void Damage(const std::string& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    static_cast<void>(DecodeImage(bytes.substr(0, i), {.max_pixels = 1 << 16}));
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0xff);
    static_cast<void>(DecodeImage(changed, {.max_pixels = 1 << 16}));
  }
}

TEST(Decode, ReadsGreyAndColourPng) {
  const auto grey = DecodeImage(EncodePng(2, 1, 1, {7, 200}));
  ASSERT_TRUE(grey.ok()) << grey.status();
  EXPECT_EQ(grey->channels, 1);
  EXPECT_THAT(grey->pixels, ElementsAre(7, 200));
  const auto colour = DecodeImage(EncodePng(1, 2, 3, {1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(colour.ok()) << colour.status();
  EXPECT_EQ(colour->height, 2);
  EXPECT_THAT(colour->pixels, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Decode, DropsTransparencyOfPng) {
  const auto image = DecodeImage(EncodePng(1, 1, 4, {10, 20, 30, 255}));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->channels, 3);
  EXPECT_THAT(image->pixels, ElementsAre(10, 20, 30));
}

TEST(Decode, ReadsJpeg) {
  const auto image = DecodeImage(EncodeJpeg(16, 8, std::vector<uint8_t>(16 * 8 * 3, 100)));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->width, 16);
  EXPECT_EQ(image->height, 8);
  EXPECT_NEAR(image->pixels[0], 100, 2);
}

TEST(Decode, RefusesAJpegThatEndsEarly) {
  const std::string bytes = EncodeJpeg(64, 64, std::vector<uint8_t>(64 * 64 * 3, 100));
  EXPECT_FALSE(DecodeImage(bytes.substr(0, bytes.size() - 20)).ok());
}

TEST(Decode, ReadsBmpOf24BitsBottomUp) {
  const auto image = DecodeImage(
      Bmp(1, 2, 24, 0, std::string("\x03\x02\x01\x00", 4) + std::string("\x06\x05\x04\x00", 4)));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT(image->pixels, ElementsAre(4, 5, 6, 1, 2, 3));
}

TEST(Decode, ReadsBmpOf32BitsTopDown) {
  const auto image =
      DecodeImage(Bmp(1, -2, 32, 0, std::string("\x03\x02\x01\x00\x06\x05\x04\x00", 8)));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT(image->pixels, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Decode, ReadsBmpWithAPalette) {
  const std::string palette("\x00\x00\x00\x00\x1e\x14\x0a\x00", 8);
  const auto image = DecodeImage(Bmp(2, 1, 8, 2, palette + std::string("\x01\x00\x00\x00", 4)));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT(image->pixels, ElementsAre(10, 20, 30, 0, 0, 0));
  EXPECT_FALSE(DecodeImage(Bmp(2, 1, 8, 2, palette + std::string("\x02\x00\x00\x00", 4))).ok());
}

TEST(Decode, RefusesABmpWhoseSizeIsALie) {
  EXPECT_FALSE(DecodeImage(Bmp(1000, 1000, 24, 0, "short")).ok());
  EXPECT_FALSE(DecodeImage(Bmp(0x7fffffff, 0x7fffffff, 32, 0, "short")).ok());
  EXPECT_FALSE(DecodeImage(Bmp(-5, 5, 24, 0, std::string(1000, 'x'))).ok());
  EXPECT_FALSE(
      DecodeImage(Bmp(5, static_cast<int>(0x80000000), 24, 0, std::string(1000, 'x'))).ok());
}

TEST(Decode, JudgesTheSizeBeforeItDecodes) {
  const auto image =
      DecodeImage(EncodePng(100, 100, 1, std::vector<uint8_t>(10000)), {.max_pixels = 9999});
  EXPECT_THAT(std::string(image.status().message()), HasSubstr("100x100"));
}

TEST(Decode, SaysWhatItReads) {
  EXPECT_THAT(std::string(DecodeImage("hello").status().message()), HasSubstr("PNG, JPEG nor BMP"));
  EXPECT_THAT(std::string(DecodeImage("").status().message()), HasSubstr("empty"));
}

TEST(Decode, SurvivesDamage) {
  Damage(EncodePng(6, 5, 3, std::vector<uint8_t>(90, 50)));
  Damage(EncodeJpeg(16, 16, std::vector<uint8_t>(16 * 16 * 3, 77)));
  Damage(Bmp(3, 3, 24, 0, std::string(36, 'a')));
}

}  // namespace
}  // namespace switchyard::worker
