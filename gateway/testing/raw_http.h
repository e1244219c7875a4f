// A client for tests that sends exactly the bytes it is told, well-formed or not, over a real
// socket.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::gateway {

struct RawResponse {
  int status = 0;                              // 0: the connection ended without an answer.
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;                            // Chunks taken apart.
  bool whole = false;                          // The body came to its declared end.
};

class RawClient {
 public:
  // `HOST:PORT`.
  explicit RawClient(const std::string& address);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Send(absl::string_view bytes);
  // The next answer; 1xx are given as answers of their own. Gives up after `limit`.
  RawResponse Receive(std::chrono::milliseconds limit = std::chrono::seconds(20));
  // Whatever comes until `text` was seen; all of it so far.
  const std::string& ReceiveUntil(absl::string_view text,
                                  std::chrono::milliseconds limit = std::chrono::seconds(20));
  // True when the server closed within `limit`.
  bool Closed(std::chrono::milliseconds limit = std::chrono::seconds(5));
  void Close();

 private:
  bool More(std::chrono::steady_clock::time_point until);
  bool TakeBody(RawResponse* response, std::chrono::steady_clock::time_point until);

  int fd_ = -1;
  bool ended_ = false;
  std::string buffer_;
};

// One request on a connection of its own, Host and Content-Length added.
RawResponse Call(const std::string& address, absl::string_view verb, absl::string_view target,
                 absl::string_view body = "", absl::string_view more_headers = "");

}  // namespace switchyard::gateway
