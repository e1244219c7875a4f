#include "common/artifacts/testing/faulty_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace switchyard {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

bool SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool TakeOne(std::atomic<int>& count) {
  for (int now = count; now > 0;) {
    if (count.compare_exchange_weak(now, now - 1)) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FaultyProxy>> FaultyProxy::Start(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 64) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return absl::UnavailableError("cannot listen on the loopback");
  }
  std::unique_ptr<FaultyProxy> proxy(new FaultyProxy(listener));
  proxy->port_ = ntohs(address.sin_port);
  proxy->target_ = port;
  proxy->thread_ = std::thread([raw = proxy.get()] { raw->Accept(); });
  return proxy;
}

FaultyProxy::~FaultyProxy() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
  while (open_ > 0) usleep(1000);
}

void FaultyProxy::Accept() {
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    ++connections_;
    ++open_;
    std::thread([this, client] {
      if (TakeOne(unavailable_)) {
        Refuse(client);
      } else {
        Serve(client);
      }
      close(client);
      --open_;
    }).detach();
  }
}

// The request is read to its end as far as it comes at once: a client that is answered while it
// still sends may see a broken connection, which is another fault.
void FaultyProxy::Refuse(int client) {
  ++faults_;
  char buffer[1 << 16];
  for (pollfd waiting{client, POLLIN, 0}; poll(&waiting, 1, 100) == 1;) {
    if (recv(client, buffer, sizeof buffer, 0) <= 0) return;
  }
  const std::string body = "<Error><Code>SlowDown</Code><Message>Please reduce</Message></Error>";
  const std::string answer =
      absl::StrCat("HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Length: ", body.size(),
                   "\r\n\r\n", body);
  SendAll(client, answer.data(), answer.size());
}

void FaultyProxy::Serve(int client) {
  const int server = Connect(target_);
  if (server < 0) return;
  char buffer[1 << 16];
  int64_t carried = 0;
  pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
  for (bool open = true; open && !stopping_;) {
    if (poll(ends, 2, 50) <= 0) continue;
    for (int i = 0; i < 2 && open; ++i) {
      if (ends[i].revents == 0) continue;
      const ssize_t size = recv(ends[i].fd, buffer, sizeof buffer, 0);
      open = size > 0 && SendAll(ends[1 - i].fd, buffer, static_cast<size_t>(size));
      carried += size;
    }
    if (open && cut_ > 0 && carried > cut_bytes_ && TakeOne(cut_)) {
      ++faults_;
      open = false;
    }
  }
  close(server);
}

}  // namespace switchyard
