#include "common/id/job_id.h"

#include "gtest/gtest.h"

namespace switchyard {
namespace {

TEST(JobId, TextSortsLikeNumbersAndParsesBack) {
  const JobId ids[] = {1, 31, 32, 1'234'567'890'123, uint64_t{1} << 63, ~uint64_t{0}};
  std::string previous;
  for (JobId id : ids) {
    const std::string text = FormatJobId(id);
    EXPECT_LT(previous, text);
    EXPECT_EQ(ParseJobId(text), id);
    previous = text;
  }
}

TEST(JobId, RefusesWhatIsNoId) {
  for (const char* text : {"", "0000000000000", "abc", "000000000000i", "000000000000A",
                           "z000000000000", "00000000000001"}) {
    EXPECT_EQ(ParseJobId(text), std::nullopt) << text;
  }
}

TEST(JobId, GrowsWithinOneMillisecondAndWhenTheClockSteppedBack) {
  const JobId first = NextJobId(0, 1000);
  const JobId second = NextJobId(first, 1000);
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(NextJobId(second, 10), second + 1);
  EXPECT_GT(NextJobId(second, 1001), second + 1);
}

}  // namespace
}  // namespace switchyard
