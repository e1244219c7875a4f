#include "worker/data/sigmf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace switchyard::worker {
namespace {

using ::testing::HasSubstr;

constexpr char kGood[] = R"({
  "global": {"core:datatype": "ci16_le", "core:sample_rate": 2e6, "core:version": "1.0.0"},
  "captures": [{"core:sample_start": 0, "core:header_bytes": 12}],
  "annotations": [
    {"core:sample_start": 5, "core:sample_count": 100, "core:label": "qpsk"},
    {"core:sample_start": 200}
  ]})";

std::string Error(absl::string_view json) {
  return std::string(ParseSigmfMetadata(json).status().message());
}

TEST(Sigmf, ReadsTypeRateAndAnnotations) {
  const auto metadata = ParseSigmfMetadata(kGood);
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->type.bytes_per_sample(), 4u);
  EXPECT_EQ(metadata->sample_rate_hz, 2e6);
  EXPECT_EQ(metadata->header_bytes, 12);
  ASSERT_EQ(metadata->annotations.size(), 2u);
  EXPECT_EQ(metadata->annotations[0].label, "qpsk");
  EXPECT_EQ(metadata->annotations[0].sample_count, 100);
  EXPECT_EQ(metadata->annotations[1].sample_start, 200);
  EXPECT_EQ(metadata->annotations[1].sample_count, -1);
}

TEST(Sigmf, NamesWhatIsWrong) {
  EXPECT_THAT(Error("{"), HasSubstr("cannot be used"));
  EXPECT_THAT(Error("[]"), HasSubstr("core:datatype"));
  EXPECT_THAT(Error(R"({"global": {"core:datatype": "cf16"}})"), HasSubstr("'cf16'"));
  EXPECT_THAT(Error(R"({"global": {"core:datatype": "ci16"}})"), HasSubstr("'ci16'"));
  EXPECT_THAT(Error(R"({"global": {"core:datatype": "cu8", "core:num_channels": 2}})"),
              HasSubstr("num_channels"));
  EXPECT_THAT(
      Error(R"({"global": {"core:datatype": "cu8"}, "annotations": [{"core:sample_start": -1}]})"),
      HasSubstr("sample_start"));
}

TEST(Sigmf, SurvivesEveryPrefix) {
  const std::string good = kGood;
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(ParseSigmfMetadata(good.substr(0, i)).ok()) << i;
  }
}

TEST(Sigmf, ConvertsEverySampleType) {
  const auto convert = [](const char* type, const std::string& bytes) {
    return ConvertSamples(bytes, *ParseSampleType(type));
  };
  const float halves[] = {0.5f, -0.25f};
  std::string floats(8, '\0');
  std::memcpy(floats.data(), halves, 8);
  EXPECT_EQ(convert("cf32_le", floats)[0], std::complex<float>(0.5f, -0.25f));
  EXPECT_EQ(convert("ci16_le", std::string("\x00\x40\x00\xc0", 4))[0],
            std::complex<float>(0.5f, -0.5f));
  EXPECT_EQ(convert("ci16_be", std::string("\x40\x00\xc0\x00", 4))[0],
            std::complex<float>(0.5f, -0.5f));
  EXPECT_EQ(convert("ci8", std::string("\x40\xc0", 2))[0], std::complex<float>(0.5f, -0.5f));
  EXPECT_NEAR(convert("cu8", std::string("\xff\x00", 2))[0].real(), 1, 0.01);
  EXPECT_NEAR(convert("cu8", std::string("\xff\x00", 2))[0].imag(), -1, 0.01);
  EXPECT_EQ(convert("ri8", std::string("\x40\xc0", 2))[1], std::complex<float>(-0.5f, 0));
}

TEST(Sigmf, IgnoresATrailingPartOfASample) {
  EXPECT_EQ(ConvertSamples("abcdefg", *ParseSampleType("ci16_le")).size(), 1u);
}

}  // namespace
}  // namespace switchyard::worker
