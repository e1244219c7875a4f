#include "tests/tools/datagen/digits.h"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tests/tools/datagen/random.h"

namespace switchyard::datagen {
namespace {

constexpr int kSide = 8;
constexpr int kPixels = kSide * kSide;

struct Digit {
  int line = 0;
  int label = 0;
  uint8_t pixels[kPixels] = {};
};

absl::StatusOr<std::string> ReadGzip(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  std::string text;
  char block[1 << 16];
  int got = 0;
  while ((got = gzread(file.get(), block, sizeof(block))) > 0) text.append(block, got);
  if (got < 0) return absl::InvalidArgumentError(absl::StrCat(path, " is damaged"));
  return text;
}

absl::StatusOr<Digit> ParseLine(absl::string_view line, int number) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
  const auto bad = [number] {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", number, " is not 64 values of 0 to 16 and a digit"));
  };
  Digit digit;
  digit.line = number;
  if (fields.size() != kPixels + 1 || !absl::SimpleAtoi(fields[kPixels], &digit.label) ||
      digit.label < 0 || digit.label > 9) {
    return bad();
  }
  for (int i = 0; i < kPixels; ++i) {
    int value = 0;
    if (!absl::SimpleAtoi(fields[i], &value) || value < 0 || value > 16) return bad();
    digit.pixels[i] = static_cast<uint8_t>(value * 255 / 16);
  }
  return digit;
}

absl::Status WritePng(const std::string& directory, const Digit& digit) {
  const std::string folder = absl::StrCat(directory, "/", digit.label);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  png_image png;
  std::memset(&png, 0, sizeof(png));
  png.version = PNG_IMAGE_VERSION;
  png.width = kSide;
  png.height = kSide;
  png.format = PNG_FORMAT_GRAY;
  const std::string path = absl::StrFormat("%s/%04d.png", folder, digit.line);
  if (png_image_write_to_file(&png, path.c_str(), 0, digit.pixels, 0, nullptr)) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("writing ", path, ": ", png.message));
}

// Writes the digits of one class; the first `test_fraction` of a random order is held out.
absl::Status WriteClass(const DigitsOptions& options, std::vector<Digit> digits, Random& random) {
  for (size_t i = digits.size(); i > 1; --i) {
    std::swap(digits[i - 1], digits[random.Below(static_cast<int>(i))]);
  }
  const auto held_out =
      static_cast<size_t>(std::lround(options.test_fraction * static_cast<double>(digits.size())));
  for (size_t i = 0; i < digits.size(); ++i) {
    const absl::Status status =
        WritePng(i < held_out ? options.test_dir : options.train_dir, digits[i]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteDigits(const DigitsOptions& options) {
  const absl::StatusOr<std::string> text = ReadGzip(options.csv_gz);
  if (!text.ok()) return text.status();
  std::vector<Digit> by_label[10];
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipWhitespace())) {
    const absl::StatusOr<Digit> digit = ParseLine(line, ++number);
    if (!digit.ok()) return digit.status();
    by_label[digit->label].push_back(*digit);
  }
  Random random(options.seed);
  for (std::vector<Digit>& digits : by_label) {
    const absl::Status status = WriteClass(options, std::move(digits), random);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace switchyard::datagen
