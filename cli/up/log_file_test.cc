#include "cli/up/log_file.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;

class LogFileTest : public testing::Test {
 protected:
  LogFileTest() : path_(absl::StrCat(testing::TempDir(), "/log_file.", getpid())) { Remove(); }
  ~LogFileTest() override { Remove(); }
  void Remove() {
    fs::remove(path_);
    fs::remove(path_ + ".1");
  }
  const std::string path_;
};

TEST_F(LogFileTest, NeverHoldsMoreThanTwiceItsBound) {
  LogFile log(path_, 100);
  for (int i = 0; i < 50; ++i) log.Append("0123456789\n");
  EXPECT_LE(fs::file_size(path_), 100u);
  EXPECT_LE(fs::file_size(path_ + ".1"), 100u);
}

TEST_F(LogFileTest, GoesOnWithWhatIsThere) {
  LogFile(path_, 100).Append("first\n");
  LogFile log(path_, 100);
  log.Append("second\n");
  EXPECT_EQ(log.Tail(100), "first\nsecond\n");
}

TEST_F(LogFileTest, TheTailBeginsWithAWholeLine) {
  LogFile log(path_, 100);
  log.Append("first\nsecond\nthird\n");
  EXPECT_EQ(log.Tail(10), "third\n");
}

}  // namespace
}  // namespace switchyard::cli
