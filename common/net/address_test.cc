#include "common/net/address.h"

#include "gtest/gtest.h"

namespace switchyard {
namespace {

TEST(Address, ParsesEveryForm) {
  for (const char* text : {"127.0.0.1:8080", "[::1]:7070", "localhost:0", "unix:/run/x.sock"}) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(Address, RefusesTheRest) {
  for (const char* text :
       {"", "8080", ":8080", "host", "host:99999", "::1:80", "[::1:80", "unix:", "h:-1"}) {
    EXPECT_FALSE(ParseAddress(text).ok()) << text;
  }
}

TEST(Address, OnlyLoopbackMayBeBoundWithoutKeys) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/x"}) {
    EXPECT_TRUE(RequireLoopback("http_listen", text).ok()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "[fe80::1]:1"}) {
    EXPECT_FALSE(RequireLoopback("http_listen", text).ok()) << text;
  }
}

}  // namespace
}  // namespace switchyard
