#include "scheduler/validation/names.h"

#include <string>

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

TEST(Names, ModelNamesBeginWithALetterOrDigitAndAreBounded) {
  for (const std::string& good : {std::string("a"), std::string("9.x_y-z"), std::string(63, 'm')}) {
    EXPECT_TRUE(IsModelName(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string("-a"), std::string("Upper"),
                                 std::string("a/b"), std::string(64, 'm')}) {
    EXPECT_FALSE(IsModelName(bad)) << bad;
  }
}

TEST(Names, AModelReferenceMayNameItsVersion) {
  EXPECT_EQ(ParseModelReference("digits")->version, 0u);
  EXPECT_EQ(ParseModelReference("digits@12")->version, 12u);
  EXPECT_EQ(ParseModelReference("digits@12")->name, "digits");
  for (const char* bad :
       {"", "@1", "digits@", "digits@0", "digits@-1", "digits@ 1", "digits@99999999999", "a@1@2"}) {
    EXPECT_FALSE(ParseModelReference(bad).has_value()) << bad;
  }
}

TEST(Names, DevicesAreAutoCpuCudaOrACudaNumber) {
  for (const char* good : {"auto", "cpu", "cuda", "cuda:0", "cuda:15"})
    EXPECT_TRUE(IsDevice(good)) << good;
  for (const char* bad : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "CUDA", "cuda:1000"}) {
    EXPECT_FALSE(IsDevice(bad)) << bad;
  }
}

TEST(Names, RequestIdsArePrintableAsciiUpTo128) {
  EXPECT_TRUE(IsRequestId("4b1d6c2e-0000-4000-8000-000000000000"));
  EXPECT_TRUE(IsRequestId(std::string(128, '~')));
  EXPECT_FALSE(IsRequestId(""));
  EXPECT_FALSE(IsRequestId(std::string(129, 'x')));
  EXPECT_FALSE(IsRequestId("tab\t"));
  EXPECT_FALSE(IsRequestId("\xc3\xa4"));
}

}  // namespace
}  // namespace switchyard::scheduler
