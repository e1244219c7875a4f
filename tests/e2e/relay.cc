#include "tests/e2e/relay.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace switchyard::e2e {
namespace {

constexpr int kLookMs = 10;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

}  // namespace

Relay::Relay(const std::string& from, std::string to) : to_(std::move(to)) {
  const sockaddr_un address = AddressOf(from);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 64) != 0) {
    std::perror(from.c_str());
    std::abort();
  }
  thread_ = std::thread([this] { Run(); });
}

Relay::~Relay() {
  stop_ = true;
  thread_.join();
  close(listener_);
}

void Relay::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(to_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    pairs_.push_back({client, server});
  } else {
    close(server);
    close(client);
  }
}

bool Relay::Pass(int from, int to) {
  char bytes[64 * 1024];
  const ssize_t size = read(from, bytes, sizeof bytes);
  if (size <= 0) return false;
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t some = send(to, bytes + sent, size - sent, MSG_NOSIGNAL);
    if (some <= 0) return false;
    sent += some;
  }
  return true;
}

void Relay::Run() {
  while (!stop_) {
    const bool broken = break_.exchange(false);
    std::vector<pollfd> ready;
    if (!frozen_) {
      ready.push_back({listener_, POLLIN, 0});
      for (const Pair& pair : pairs_) {
        ready.push_back({pair.client, POLLIN, 0});
        ready.push_back({pair.server, POLLIN, 0});
      }
    }
    poll(ready.data(), ready.size(), kLookMs);
    size_t next = 1;
    for (auto pair = pairs_.begin(); pair != pairs_.end();) {
      bool alive = !broken;
      if (!ready.empty()) {
        if (alive && ready[next].revents != 0) alive = Pass(pair->client, pair->server);
        if (alive && ready[next + 1].revents != 0) alive = Pass(pair->server, pair->client);
        next += 2;
      }
      if (!alive) {
        close(pair->client);
        close(pair->server);
      }
      pair = alive ? std::next(pair) : pairs_.erase(pair);
    }
    if (!ready.empty() && ready[0].revents != 0) Accept();
  }
  for (const Pair& pair : pairs_) {
    close(pair.client);
    close(pair.server);
  }
}

}  // namespace switchyard::e2e
