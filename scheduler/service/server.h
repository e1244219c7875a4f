// A whole scheduler in one object: store, engine, services, listeners. What main.cc starts and what
// tests start in-process.
//
// Thread-safety: Start, Shutdown and the destructor by one thread at a time; the addresses by any.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard::scheduler {

class Server {
 public:
  // Opens the store, builds the core, binds everything, and writes the address file. `config` need
  // not be completed. INVALID_ARGUMENT names every fault of the config; FAILED_PRECONDITION when
  // the data folder is in use; UNAVAILABLE when an address is. `clock` is borrowed.
  //
  // On PostgreSQL it leads or stands by, as the lease there says; a standby refuses calls and
  // workers. `deposed` is called, once, from a thread of the server's, when it led and another
  // scheduler does now: what it holds in memory is of no use any more, so it is to be shut down and
  // started again, as a standby.
  static absl::StatusOr<std::unique_ptr<Server>> Start(config::v1::SchedulerConfig config,
                                                       Clock& clock,
                                                       std::function<void()> deposed = nullptr);

  // Shuts down.
  virtual ~Server() = default;

  // Says NOT_SERVING, takes no more calls, answers those under way, ends streams, closes the store.
  // Blocks for a second or two. Calling it twice does nothing.
  virtual void Shutdown() = 0;

  // Names `client`, `worker` and, when configured, `admin`, with what was really bound.
  virtual std::vector<std::pair<std::string, std::string>> addresses() const = 0;
};

}  // namespace switchyard::scheduler
