// What `./run demo` promises, held to its own figures.

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using ::testing::HasSubstr;

// The number behind `label` in `text`; -1 when it is not there.
double FigureBehind(const std::string& text, const std::string& label) {
  const size_t at = text.find(label);
  if (at == std::string::npos) return -1;
  const size_t begin = at + label.size();
  double value = -1;
  return absl::SimpleAtod(text.substr(begin, text.find(" %", begin) - begin), &value) ? value : -1;
}

TEST(Demo, TrainsPredictsAndReachesItsFigures) {
  const std::string command =
      absl::StrCat("'", SWITCHYARD_BIN, "/switchyard' demo --exit --digits '", SWITCHYARD_DIGITS,
                   "' --http 127.0.0.1:0 --grpc 127.0.0.1:0 2>&1");
  FILE* demo = popen(command.c_str(), "r");
  ASSERT_NE(demo, nullptr);
  std::string output;
  std::array<char, 4096> piece;
  while (const size_t size = fread(piece.data(), 1, piece.size(), demo))
    output.append(piece.data(), size);
  const int status = pclose(demo);
  SCOPED_TRACE(output);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_GE(FigureBehind(output, "digits held-out accuracy: "), 97.0);
  EXPECT_GE(FigureBehind(output, "rf held-out accuracy at 10 dB and above: "), 90.0);
  // Nine classes: chance is 11 %. A control far above it would mean that labels leak.
  EXPECT_LT(FigureBehind(output, "rf control (shuffled labels): "), 25.0);
  EXPECT_THAT(output, HasSubstr("predict over HTTP, a seven: 7 "));
  EXPECT_THAT(output, HasSubstr("predict over gRPC, the same: 7 "));
}

}  // namespace
