#include "gateway/http/head_check.h"

#include <gtest/gtest.h>

namespace switchyard::gateway::http {
namespace {

struct Case {
  const char* what;
  int version;
  const char* verb;
  const char* target;
  std::vector<std::pair<const char*, const char*>> headers;
  int status;  // 0: accepted.
};

TEST(HeadCheck, RefusesWhatTwoServersMightReadDifferently) {
  const std::pair<const char*, const char*> host = {"Host", "localhost"};
  const Case cases[] = {
      {"plain", 11, "GET", "/", {host}, 0},
      {"length", 11, "POST", "/", {host, {"Content-Length", "3"}}, 0},
      {"chunked", 11, "POST", "/", {host, {"Transfer-Encoding", "Chunked"}}, 0},
      {"HTTP/1.0 without Host", 10, "GET", "/", {}, 0},
      {"no Host", 11, "GET", "/", {}, 400},
      {"two Hosts", 11, "GET", "/", {host, host}, 400},
      {"length and coding",
       11,
       "POST",
       "/",
       {host, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
       400},
      {"two lengths",
       11,
       "POST",
       "/",
       {host, {"Content-Length", "3"}, {"content-length", "3"}},
       400},
      {"signed length", 11, "POST", "/", {host, {"Content-Length", "+3"}}, 400},
      {"listed length", 11, "POST", "/", {host, {"Content-Length", "3, 3"}}, 400},
      {"two codings",
       11,
       "POST",
       "/",
       {host, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "identity"}},
       400},
      {"unknown coding", 11, "POST", "/", {host, {"Transfer-Encoding", "gzip"}}, 501},
      {"stacked coding", 11, "POST", "/", {host, {"Transfer-Encoding", "gzip, chunked"}}, 501},
      {"coding in HTTP/1.0", 10, "POST", "/", {host, {"Transfer-Encoding", "chunked"}}, 400},
      {"unknown version", 20, "GET", "/", {host}, 505},
      {"unknown expectation", 11, "POST", "/", {host, {"Expect", "a miracle"}}, 417},
      {"100-continue", 11, "POST", "/", {host, {"Expect", "100-Continue"}}, 0},
      {"CONNECT", 11, "CONNECT", "a:443", {host}, 501},
      {"absolute form", 11, "GET", "http://localhost/", {host}, 400},
      {"fragment", 11, "GET", "/a#b", {host}, 400},
      {"asterisk", 11, "OPTIONS", "*", {host}, 0},
      {"asterisk for GET", 11, "GET", "*", {host}, 400},
  };
  for (const Case& each : cases) {
    RequestHead head;
    head.version = each.version;
    head.verb = each.verb;
    head.target = each.target;
    for (const auto& [name, value] : each.headers) head.headers.Add(name, value);
    const auto refusal = CheckHead(head);
    EXPECT_EQ(refusal.has_value() ? refusal->status : 0, each.status) << each.what;
  }
}

TEST(HeadCheck, LongTargetsAreRefused) {
  RequestHead head;
  head.verb = "GET";
  head.target = "/" + std::string(9000, 'a');
  head.headers.Add("Host", "localhost");
  EXPECT_EQ(CheckHead(head)->status, 414);
}

}  // namespace
}  // namespace switchyard::gateway::http
