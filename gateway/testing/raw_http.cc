#include "gateway/testing/raw_http.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace switchyard::gateway {

using Clock = std::chrono::steady_clock;

RawClient::RawClient(const std::string& address) {
  const size_t colon = address.rfind(':');
  addrinfo* found = nullptr;
  if (getaddrinfo(address.substr(0, colon).c_str(), address.substr(colon + 1).c_str(), nullptr,
                  &found) != 0) {
    return;
  }
  fd_ = socket(found->ai_family, SOCK_STREAM, 0);
  if (connect(fd_, found->ai_addr, found->ai_addrlen) != 0) Close();
  freeaddrinfo(found);
}

RawClient::~RawClient() { Close(); }

void RawClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void RawClient::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(sent);
  }
}

bool RawClient::More(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  pollfd wait{fd_, POLLIN, 0};
  if (ended_ || left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
    return false;
  }
  char bytes[65536];
  const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  buffer_.append(bytes, got);
  return true;
}

bool RawClient::TakeBody(RawResponse* response, Clock::time_point until) {
  if (absl::StrContains(response->headers["transfer-encoding"], "chunked")) {
    while (true) {
      size_t end;
      while ((end = buffer_.find("\r\n")) == std::string::npos) {
        if (!More(until)) return false;
      }
      const size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      while (buffer_.size() < end + 2 + size + 2) {
        if (!More(until)) return false;
      }
      response->body.append(buffer_, end + 2, size);
      buffer_.erase(0, end + 2 + size + 2);
      if (size == 0) return true;
    }
  }
  const auto length = response->headers.find("content-length");
  if (length == response->headers.end()) return true;
  const size_t size = std::strtoul(length->second.c_str(), nullptr, 10);
  while (buffer_.size() < size) {
    if (!More(until)) break;
  }
  response->body = buffer_.substr(0, size);
  buffer_.erase(0, response->body.size());
  return response->body.size() == size;
}

RawResponse RawClient::Receive(std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  RawResponse response;
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!More(until)) return response;
  }
  const std::string head = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  response.status = std::atoi(head.c_str() + std::string("HTTP/1.1 ").size());
  for (const absl::string_view line : absl::StrSplit(head, "\r\n")) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    response.headers[absl::AsciiStrToLower(field.first)] = std::string(field.second);
  }
  response.whole = response.status < 200 || TakeBody(&response, until);
  return response;
}

const std::string& RawClient::ReceiveUntil(absl::string_view text,
                                           std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  while (!absl::StrContains(buffer_, text) && More(until)) {
  }
  return buffer_;
}

bool RawClient::Closed(std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  while (More(until)) {
  }
  return ended_;
}

RawResponse Call(const std::string& address, absl::string_view verb, absl::string_view target,
                 absl::string_view body, absl::string_view more_headers) {
  RawClient client(address);
  client.Send(absl::StrCat(verb, " ", target, " HTTP/1.1\r\nHost: localhost\r\n", more_headers,
                           "Content-Length: ", body.size(), "\r\n\r\n", body));
  if (verb == "HEAD") {
    RawResponse response;
    const std::string head = client.ReceiveUntil("\r\n\r\n");
    response.status = std::atoi(head.c_str() + std::string("HTTP/1.1 ").size());
    return response;
  }
  return client.Receive();
}

}  // namespace switchyard::gateway
