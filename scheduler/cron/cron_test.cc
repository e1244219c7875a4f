#include "scheduler/cron/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/string_view.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::TimeZone Zone(absl::string_view name) { return *FindTimeZone(name); }

absl::Time At(absl::string_view text, absl::TimeZone zone = absl::UTCTimeZone()) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M:%S", text, zone, &time, &error)) << error;
  return time;
}

// The next `count` due times after `from`, as local times with their offset.
std::vector<std::string> Next(absl::string_view cron, absl::string_view from, int count,
                              absl::string_view zone_name = "") {
  const absl::TimeZone zone = Zone(zone_name);
  absl::Time time = At(from, zone);
  const auto parsed = Cron::Parse(cron, zone, time);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  std::vector<std::string> due;
  for (int i = 0; i < count; ++i) {
    time = parsed->Next(time);
    due.push_back(absl::FormatTime("%Y-%m-%d %H:%M:%S%z", time, zone));
  }
  return due;
}

std::string Fault(absl::string_view cron) {
  const auto parsed = Cron::Parse(cron, absl::UTCTimeZone(), At("2026-01-01 00:00:00"));
  return std::string(parsed.status().message());
}

TEST(Cron, EveryMinuteIsTheNextWholeMinute) {
  EXPECT_THAT(Next("* * * * *", "2026-03-01 10:00:30", 2),
              ElementsAre("2026-03-01 10:01:00+0000", "2026-03-01 10:02:00+0000"));
  EXPECT_THAT(Next("* * * * *", "2026-03-01 10:01:00", 1), ElementsAre("2026-03-01 10:02:00+0000"));
}

TEST(Cron, RangesStepsListsAndNames) {
  EXPECT_THAT(Next("*/20 9-10 * * *", "2026-03-02 09:30:00", 4),
              ElementsAre("2026-03-02 09:40:00+0000", "2026-03-02 10:00:00+0000",
                          "2026-03-02 10:20:00+0000", "2026-03-02 10:40:00+0000"));
  EXPECT_THAT(Next("5,35 0 1 jan,jul *", "2026-02-01 00:00:00", 3),
              ElementsAre("2026-07-01 00:05:00+0000", "2026-07-01 00:35:00+0000",
                          "2027-01-01 00:05:00+0000"));
  EXPECT_THAT(Next("0 8 * * mon-fri", "2026-11-20 09:00:00", 2),  // A Friday.
              ElementsAre("2026-11-23 08:00:00+0000", "2026-11-24 08:00:00+0000"));
  EXPECT_THAT(Next("10/25 0 * * *", "2026-11-20 00:00:00", 2),
              ElementsAre("2026-11-20 00:10:00+0000", "2026-11-20 00:35:00+0000"));
}

TEST(Cron, SundayIsBothZeroAndSeven) {
  EXPECT_EQ(Next("0 0 * * 7", "2026-11-20 00:00:00", 3),
            Next("0 0 * * 0", "2026-11-20 00:00:00", 3));
}

TEST(Cron, DayOrWeekdayIsEnoughWhenBothAreGiven) {
  EXPECT_THAT(Next("0 0 13 * fri", "2026-11-01 00:00:00", 3),
              ElementsAre("2026-11-06 00:00:00+0000", "2026-11-13 00:00:00+0000",
                          "2026-11-20 00:00:00+0000"));
}

TEST(Cron, TheEndOfAMonthAndALeapDay) {
  EXPECT_THAT(Next("0 0 31 * *", "2026-03-31 12:00:00", 2),
              ElementsAre("2026-05-31 00:00:00+0000", "2026-07-31 00:00:00+0000"));
  EXPECT_THAT(Next("0 12 29 2 *", "2096-03-01 00:00:00", 1),
              ElementsAre("2104-02-29 12:00:00+0000"));
}

TEST(Cron, ASkippedTimeFiresOnceWhenTheClockHasSkippedIt) {
  // Berlin, 2026-03-29: 02:00 becomes 03:00.
  EXPECT_THAT(Next("30 2 * * *", "2026-03-28 12:00:00", 2, "Europe/Berlin"),
              ElementsAre("2026-03-29 03:00:00+0200", "2026-03-30 02:30:00+0200"));
  EXPECT_THAT(Next("0,15,30 2 * * *", "2026-03-29 00:00:00", 2, "Europe/Berlin"),
              ElementsAre("2026-03-29 03:00:00+0200", "2026-03-30 02:00:00+0200"));
}

TEST(Cron, ATimeThatComesTwiceFiresTheFirstTime) {
  // Berlin, 2026-10-25: 03:00 becomes 02:00.
  EXPECT_THAT(Next("30 2 * * *", "2026-10-24 12:00:00", 2, "Europe/Berlin"),
              ElementsAre("2026-10-25 02:30:00+0200", "2026-10-26 02:30:00+0100"));
}

TEST(Cron, EveryHourThatReallyPassesCounts) {
  EXPECT_THAT(Next("30 * * * *", "2026-10-25 01:00:00", 4, "Europe/Berlin"),
              ElementsAre("2026-10-25 01:30:00+0200", "2026-10-25 02:30:00+0200",
                          "2026-10-25 02:30:00+0100", "2026-10-25 03:30:00+0100"));
  EXPECT_THAT(Next("30 * * * *", "2026-03-29 01:00:00", 2, "Europe/Berlin"),
              ElementsAre("2026-03-29 01:30:00+0100", "2026-03-29 03:30:00+0200"));
}

TEST(Cron, AMidnightThatIsSkippedIsTheFirstMomentOfItsDay) {
  // Beirut, 2026-03-29: 00:00 becomes 01:00.
  EXPECT_THAT(Next("@daily", "2026-03-28 12:00:00", 2, "Asia/Beirut"),
              ElementsAre("2026-03-29 01:00:00+0300", "2026-03-30 00:00:00+0300"));
}

TEST(Cron, HalfHourZonesKeepTheirMinutes) {
  EXPECT_THAT(Next("0 * * * *", "2026-03-28 12:10:00", 1, "Asia/Kolkata"),
              ElementsAre("2026-03-28 13:00:00+0530"));
}

TEST(Cron, NamedTimes) {
  EXPECT_THAT(Next("@hourly", "2026-03-28 12:10:00", 1), ElementsAre("2026-03-28 13:00:00+0000"));
  EXPECT_THAT(Next("@weekly", "2026-11-20 12:10:00", 1), ElementsAre("2026-11-22 00:00:00+0000"));
  EXPECT_THAT(Next("@monthly", "2026-11-20 12:10:00", 1), ElementsAre("2026-12-01 00:00:00+0000"));
  EXPECT_THAT(Next("@yearly", "2026-11-20 12:10:00", 1), ElementsAre("2027-01-01 00:00:00+0000"));
}

TEST(Cron, EveryCountsFromItsBeginning) {
  EXPECT_THAT(Next("@every 90s", "2026-11-20 12:10:05", 2),
              ElementsAre("2026-11-20 12:11:35+0000", "2026-11-20 12:13:05+0000"));
}

TEST(Cron, TheLatestOfManyThatPassedIsFound) {
  const absl::Time from = At("2026-01-01 00:00:00");
  const auto hourly = Cron::Parse("@hourly", absl::UTCTimeZone(), from);
  EXPECT_EQ(hourly->Latest(from, from + absl::Minutes(150)), from + absl::Hours(2));
  EXPECT_EQ(hourly->Latest(from, from + absl::Minutes(59)), absl::InfinitePast());
  const auto every = Cron::Parse("@every 1s", absl::UTCTimeZone(), from);
  EXPECT_EQ(every->Latest(from, from + absl::Hours(10'000) + absl::Milliseconds(1)),
            from + absl::Hours(10'000));
  EXPECT_EQ(every->Latest(from, from), absl::InfinitePast());
}

TEST(Cron, AFaultNamesTheField) {
  EXPECT_THAT(Fault("60 * * * *"), HasSubstr("minute"));
  EXPECT_THAT(Fault("* 24 * * *"), HasSubstr("hour"));
  EXPECT_THAT(Fault("* * 0 * *"), HasSubstr("day"));
  EXPECT_THAT(Fault("* * * foo *"), HasSubstr("month"));
  EXPECT_THAT(Fault("* * * * 8"), HasSubstr("weekday"));
  EXPECT_THAT(Fault("*/0 * * * *"), HasSubstr("minute"));
  EXPECT_THAT(Fault("5-1 * * * *"), HasSubstr("minute"));
  EXPECT_THAT(Fault("1,,2 * * * *"), HasSubstr("minute"));
  EXPECT_THAT(Fault("* * * *"), HasSubstr("five fields"));
  EXPECT_THAT(Fault(""), HasSubstr("five fields"));
  EXPECT_THAT(Fault("@every"), HasSubstr("@every 10m"));
  EXPECT_THAT(Fault("@every 10ms"), HasSubstr("1s or longer"));
  EXPECT_THAT(Fault("0 0 30 2 *"), HasSubstr("there is no time"));
  EXPECT_FALSE(FindTimeZone("Europe/Nowhere").ok());
}

}  // namespace
}  // namespace switchyard::scheduler
