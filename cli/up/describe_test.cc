#include "cli/up/describe.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Describe, SaysThatItGoesOnWithTheCpu) {
  const std::string text = DescribeText(
      R"({"libtorch_version":"1.13.1","cuda_version":"","kinds":["noop"],
          "devices":[{"device":"cpu","name":"A processor","memory_total_bytes":0,"memory_free_bytes":0}]})");
  EXPECT_THAT(text, HasSubstr("cpu  A processor"));
  EXPECT_THAT(text, HasSubstr("LibTorch 1.13.1"));
  EXPECT_THAT(text, HasSubstr("no GPU"));
}

TEST(Describe, TellsAGpusFacts) {
  const std::string text = DescribeText(
      R"({"libtorch_version":"2.6","cuda_version":"12.4","devices":[{"device":"cuda:0","name":"H200",
          "memory_total_bytes":150323855360,"memory_free_bytes":139586437120,"compute_capability":"9.0"}]})");
  EXPECT_THAT(text,
              HasSubstr("cuda:0  H200: compute capability 9.0, 140.0 GiB memory, 10.0 GiB used, "
                        "130.0 GiB free, CUDA 12.4, LibTorch 2.6"));
  EXPECT_THAT(text, Not(HasSubstr("no GPU")));
}

TEST(Describe, SaysWhenTheAnswerIsNotUnderstood) {
  EXPECT_THAT(DescribeText("Segmentation fault"), HasSubstr("could not be looked at"));
}

}  // namespace
}  // namespace switchyard::cli
