// A small HTTP/1.1 client: one request, one connection, the whole answer in memory. For the command
// line and for tests; not for outgoing endpoints that strangers name.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace switchyard {

struct HttpRequest {
  std::string address;  // HOST:PORT with a numeric host, or unix:/PATH.
  std::string method = "GET";
  std::string target = "/";
  std::string body;
  std::map<std::string, std::string>
      headers;  // `Content-Type: application/json` is added to a body without one.
  absl::Duration timeout = absl::Seconds(60);
  uint64_t max_reply_bytes = 1ull << 30;
};

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
};

// Any answer is OK, whatever its status code. UNAVAILABLE naming the address when there is none in
// time. Blocks.
absl::StatusOr<HttpReply> HttpCall(const HttpRequest& request);

}  // namespace switchyard
