#include "gateway/http/browser_guard.h"

#include <gtest/gtest.h>

namespace switchyard::gateway::http {
namespace {

RequestHead Head(absl::string_view verb,
                 std::vector<std::pair<absl::string_view, absl::string_view>> headers) {
  RequestHead head;
  head.verb = std::string(verb);
  head.target = "/api/v1/jobs";
  for (const auto& [name, value] : headers) head.headers.Add(name, value);
  return head;
}

TEST(BrowserGuard, KnowsLoopbackHosts) {
  for (const char* host :
       {"localhost", "localhost:80", "127.0.0.1:8080", "127.8.9.1", "[::1]", "[::1]:8080"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"", ":80", "example.com", "127.0.0.1.example.com", "localhost.evil",
                           "10.0.0.1:80", "localhost:x", "[::2]"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

TEST(BrowserGuard, ForeignHostIsRefusedWhoeverAsks) {
  EXPECT_TRUE(CheckBrowser(Head("GET", {{"Host", "evil.example"}})).has_value());
  RequestHead unix_socket = Head("GET", {{"Host", "anything"}});
  unix_socket.from_unix_socket = true;
  EXPECT_FALSE(CheckBrowser(unix_socket).has_value());
}

TEST(BrowserGuard, CallsThatAreNoBrowsersMaySendAnything) {
  EXPECT_FALSE(CheckBrowser(Head("POST", {{"Host", "localhost"}})).has_value());
  EXPECT_FALSE(CheckBrowser(Head("POST", {{"Host", "localhost"}, {"Content-Type", "text/plain"}}))
                   .has_value());
}

TEST(BrowserGuard, OriginMustBeOurs) {
  const auto with = [](absl::string_view origin) {
    return CheckBrowser(Head("POST", {{"Host", "127.0.0.1:8080"},
                                      {"Origin", origin},
                                      {"Content-Type", "application/json"}}))
        .has_value();
  };
  EXPECT_FALSE(with("http://127.0.0.1:8080"));
  EXPECT_TRUE(with("http://127.0.0.1:8081"));
  EXPECT_TRUE(with("http://localhost:8080"));
  EXPECT_TRUE(with("https://evil.example"));
  EXPECT_TRUE(with("null"));
}

TEST(BrowserGuard, FetchSiteMustBeSameOriginOrTyped) {
  const auto with = [](absl::string_view verb, absl::string_view site) {
    return CheckBrowser(Head(verb, {{"Host", "localhost"},
                                    {"Sec-Fetch-Site", site},
                                    {"Content-Type", "application/json"}}))
        .has_value();
  };
  EXPECT_FALSE(with("GET", "same-origin"));
  EXPECT_FALSE(with("POST", "same-origin"));
  EXPECT_FALSE(with("GET", "none"));
  EXPECT_TRUE(with("POST", "none"));
  EXPECT_TRUE(with("GET", "cross-site"));
  EXPECT_TRUE(with("GET", "same-site"));
}

TEST(BrowserGuard, FormTypesFromABrowserNeedTheToken) {
  for (const char* type :
       {"", "text/plain", "text/plain;charset=utf-8", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded"}) {
    EXPECT_TRUE(CheckBrowser(Head("POST", {{"Host", "localhost"},
                                           {"Sec-Fetch-Site", "same-origin"},
                                           {"Content-Type", type}}))
                    .has_value())
        << type;
  }
}

TEST(BrowserGuard, PagesMayBeLinkedFromAnywhere) {
  EXPECT_FALSE(
      CheckBrowser(Head("GET", {{"Host", "localhost"}, {"Sec-Fetch-Site", "cross-site"}}), true)
          .has_value());
  EXPECT_TRUE(
      CheckBrowser(Head("POST", {{"Host", "localhost"}, {"Sec-Fetch-Site", "cross-site"}}), true)
          .has_value());
}

}  // namespace
}  // namespace switchyard::gateway::http
