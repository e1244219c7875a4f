#include "worker/tasks/command/output_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace switchyard::worker {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Split(const std::vector<std::string>& pieces) {
  std::vector<std::string> lines;
  LineSplitter splitter([&lines](absl::string_view line, bool redrawn) {
    lines.push_back(std::string(line) + (redrawn ? "~" : ""));
  });
  for (const std::string& piece : pieces) splitter.Add(piece);
  splitter.Finish();
  return lines;
}

TEST(OutputLines, LinesAreCutHoweverTheBytesCome) {
  EXPECT_THAT(Split({"on", "e\ntwo\n", "\nfour"}), ElementsAre("one", "two", "", "four"));
}

TEST(OutputLines, AReturnEndsALineThatIsRedrawnAndAReturnWithANewlineDoesNot) {
  EXPECT_THAT(Split({"10 %\r20 %\r", "30 %\n", "a\r", "\nb"}),
              ElementsAre("10 %~", "20 %~", "30 %", "a", "b"));
}

TEST(OutputLines, ALongLineBecomesSeveralAndNoCharacterIsCut) {
  std::string text;
  while (text.size() < 3 * kMostLineBytes) text += "\xC3\xA9";  // e acute.
  std::string joined;
  for (const std::string& line : Split({text})) {
    EXPECT_LE(line.size(), kMostLineBytes + 4);
    joined += line;
  }
  EXPECT_EQ(joined, text);
}

TEST(OutputLines, InvalidBytesAreReplacedOneByOne) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(ReplaceInvalidUtf8("\xC3"), "\xEF\xBF\xBD");                  // Cut short.
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");  // Overlong.
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80"),
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // Surrogate.
  EXPECT_EQ(ReplaceInvalidUtf8("\xF0\x9F\x98\x80 \xE2\x82\xAC"), "\xF0\x9F\x98\x80 \xE2\x82\xAC");
}

TEST(OutputLines, ABurstPassesAndThenTheRate) {
  RateLimit limit(10, 3);
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += limit.Allow(absl::Seconds(1));
  EXPECT_EQ(passed, 3);
  for (int i = 0; i < 100; ++i) passed += limit.Allow(absl::Seconds(1) + absl::Milliseconds(100));
  EXPECT_EQ(passed, 4);
}

}  // namespace
}  // namespace switchyard::worker
