// Stands before a server and lets through what comes, but for the faults that are asked for. For
// tests; threads of its own.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"

namespace switchyard {

class FaultyProxy {
 public:
  // Listens on a free port of the loopback, before the one `port` of it.
  static absl::StatusOr<std::unique_ptr<FaultyProxy>> Start(int port);
  ~FaultyProxy();

  int port() const { return port_; }
  // So many of the next requests are answered 503 SlowDown.
  void AnswerUnavailable(int requests) { unavailable_ = requests; }
  // So many of the next connections are cut after they carried so many bytes, both ways together;
  // one that carries less is let through and does not count.
  void CutAfter(int64_t bytes, int connections) {
    cut_bytes_ = bytes;
    cut_ = connections;
  }
  int faults() const { return faults_; }
  int connections() const { return connections_; }

 private:
  explicit FaultyProxy(int listener) : listener_(listener) {}
  void Accept();
  void Serve(int client);
  void Refuse(int client);

  const int listener_;
  int port_ = 0;
  int target_ = 0;
  std::atomic<int> unavailable_{0}, cut_{0}, faults_{0}, connections_{0}, open_{0};
  std::atomic<int64_t> cut_bytes_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace switchyard
