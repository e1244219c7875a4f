// A Unix socket that passes bytes on to another one, and can be frozen (as when the network drops
// every packet) or broken off. Stands between a process and its database.
#pragma once

#include <atomic>
#include <list>
#include <string>
#include <thread>

namespace switchyard::e2e {

// Freeze, Thaw and Break by any thread.
class Relay {
 public:
  // Listens on `from` and connects each to `to`. A failure ends the test process.
  Relay(const std::string& from, std::string to);
  ~Relay();

  // No byte moves, no connection is lost, new ones are not answered.
  void Freeze() { frozen_ = true; }
  void Thaw() { frozen_ = false; }
  // Ends every connection there is. New ones are taken.
  void Break() { break_ = true; }

 private:
  struct Pair {
    int client;
    int server;
  };
  void Run();
  void Accept();
  // False: one side has gone.
  static bool Pass(int from, int to);

  const std::string to_;
  int listener_ = -1;
  std::list<Pair> pairs_;  // The thread's own.
  std::atomic<bool> frozen_{false};
  std::atomic<bool> break_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace switchyard::e2e
