#include <string>

#include "common/hash/crc32c.h"
#include "common/hash/sha256.h"
#include "gtest/gtest.h"

namespace switchyard {
namespace {

TEST(Crc32c, GivesTheValuesOfRfc3720) {
  EXPECT_EQ(Crc32c(0, std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(0, std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c(0, "123456789"), 0xE3069283u);
}

TEST(Crc32c, ContinuesOverPieces) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  EXPECT_EQ(Crc32c(Crc32c(0, text.substr(0, 11)), text.substr(11)), Crc32c(0, text));
}

TEST(Sha256, GivesTheValueOfFips180) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(IsSha256Hex(Sha256Hex("abc")));
  EXPECT_FALSE(IsSha256Hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
  EXPECT_FALSE(IsSha256Hex("../../etc/passwd"));
}

}  // namespace
}  // namespace switchyard
