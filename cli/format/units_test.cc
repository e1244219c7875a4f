#include "cli/format/units.h"

#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

TEST(Units, BytesInTheLargestUnitThatFits) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
  EXPECT_EQ(BytesText(1 << 20), "1.0 MiB");
  EXPECT_EQ(BytesText((1ll << 30) - 1), "1.0 GiB");
  EXPECT_EQ(BytesText(INT64_MAX), "8192.0 PiB");
}

TEST(Units, DurationsInTheUnitPeopleSay) {
  EXPECT_EQ(DurationText(absl::Microseconds(850)), "850 us");
  EXPECT_EQ(DurationText(absl::Milliseconds(12.34)), "12.3 ms");
  EXPECT_EQ(DurationText(absl::Milliseconds(1250)), "1.25 s");
  EXPECT_EQ(DurationText(absl::Seconds(59.9)), "1 m 00 s");
  EXPECT_EQ(DurationText(absl::Minutes(62)), "1 h 02 m");
  EXPECT_EQ(DurationText(absl::Hours(76)), "3 d 04 h");
  EXPECT_EQ(DurationText(-absl::Seconds(2)), "-2 s");
}

TEST(Units, ABarShowsItsShareAndNeverMoreThanAll) {
  EXPECT_EQ(ProgressBar(0.5, 10), "[#####.....]  50 %");
  EXPECT_EQ(ProgressBar(7, 4), "[####] 100 %");
  EXPECT_EQ(ProgressBar(-1, 4), "[....]   0 %");
  EXPECT_EQ(ProgressBar(0.0 / 0.0, 4), "[....]   0 %");
}

TEST(Units, ReadsDurationsAsPeopleWriteThem) {
  EXPECT_EQ(ParseDurationText("--timeout", "90").value(), absl::Seconds(90));
  EXPECT_EQ(ParseDurationText("--timeout", "1h30m").value(), absl::Minutes(90));
  for (const char* bad : {"", "soon", "-5s", "inf"}) {
    EXPECT_EQ(ParseDurationText("--timeout", bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(Units, DurationsSurviveTheWire) {
  EXPECT_EQ(FromProto(ToProto(absl::Milliseconds(1500))), absl::Milliseconds(1500));
}

TEST(Units, SizesAreReadWithTheirUnit) {
  EXPECT_EQ(*ParseBytesText("--memory", "1500"), 1500u);
  EXPECT_EQ(*ParseBytesText("--memory", "512MB"), 512'000'000u);
  EXPECT_EQ(*ParseBytesText("--memory", "1.5GiB"), 1'610'612'736u);
  for (const char* text : {"", "GB", "1 GB", "12XB", "-1", "1e9", "99999999TB"}) {
    EXPECT_FALSE(ParseBytesText("--memory", text).ok()) << text;
  }
}

}  // namespace
}  // namespace switchyard::cli
