#include "gateway/doors/json/byte_range.h"

#include "gtest/gtest.h"

namespace switchyard::gateway {
namespace {

constexpr char kTag[] = "\"abc\"";

http::RequestHead Head(std::initializer_list<std::pair<const char*, const char*>> headers) {
  http::RequestHead head;
  head.verb = "GET";
  for (const auto& [name, value] : headers) head.headers.Add(name, value);
  return head;
}

std::string Wanted(const char* range) {
  const auto wanted = RangeOf(Head({{"Range", range}}), kTag);
  if (!wanted.has_value()) return "all";
  return std::to_string(wanted->offset) + "+" + std::to_string(wanted->length);
}

TEST(ByteRange, ReadsTheThreeForms) {
  EXPECT_EQ(Wanted("bytes=0-0"), "0+1");
  EXPECT_EQ(Wanted("bytes=5-9"), "5+5");
  EXPECT_EQ(Wanted("Bytes=5-"), "5+0");
  EXPECT_EQ(Wanted("bytes=-7"), "-7+0");
  EXPECT_EQ(Wanted("bytes=0-9223372036854775807"), "0+0");
}

TEST(ByteRange, WhatItDoesNotUnderstandIsAnsweredWhole) {
  for (const char* range :
       {"bytes=0-1,5-6", "bytes=9-5", "bytes=-0", "bytes=", "bytes=-", "lines=1-2", "bytes=a-b",
        "bytes=1", "bytes=+1-2", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(Wanted(range), "all") << range;
  }
  EXPECT_FALSE(RangeOf(Head({{"Range", "bytes=0-1"}, {"Range", "bytes=0-2"}}), kTag).has_value());
}

TEST(ByteRange, CountsOnlyWithTheRightIfRange) {
  EXPECT_TRUE(RangeOf(Head({{"Range", "bytes=0-1"}, {"If-Range", kTag}}), kTag).has_value());
  EXPECT_FALSE(RangeOf(Head({{"Range", "bytes=0-1"}, {"If-Range", "\"x\""}}), kTag).has_value());
  EXPECT_FALSE(
      RangeOf(Head({{"Range", "bytes=0-1"}, {"If-Range", "W/\"abc\""}}), kTag).has_value());
}

TEST(ByteRange, KnowsATagInAList) {
  EXPECT_TRUE(HasAlready(Head({{"If-None-Match", "\"x\", W/\"abc\""}}), kTag));
  EXPECT_TRUE(HasAlready(Head({{"If-None-Match", "*"}}), kTag));
  EXPECT_FALSE(HasAlready(Head({{"If-None-Match", "\"x\""}}), kTag));
  EXPECT_FALSE(HasAlready(Head({}), kTag));
}

}  // namespace
}  // namespace switchyard::gateway
