// The port through which the agent starts and speaks to runners. The real one is Supervisor; tests
// have a fake.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "switchyard/worker/v1/runner.pb.h"
#include "worker/supervise/runner_process.h"

namespace switchyard::worker {

using RunnerId = uint64_t;  // Never reused; 0 is no runner.

enum class RunnerRole {
  kServing,  // Holds models, runs many attempts.
  kOwn,      // Runs one attempt, at least CPU priority.
};

// Who is told. Calls come from threads of the runners; those of one runner one after another,
// OnExit last.
class RunnerEvents {
 public:
  virtual ~RunnerEvents() = default;
  virtual void OnFrame(RunnerId runner, ::switchyard::worker::v1::FromRunner& frame) = 0;
  virtual void OnExit(RunnerId runner, const RunnerExit& exit) = 0;
};

// Thread-safe; no call blocks or calls back. Unknown ids are ignored: their runner has ended.
class Runners {
 public:
  virtual ~Runners() = default;
  virtual RunnerId Start(RunnerRole role, absl::Duration delay) = 0;
  virtual void Send(RunnerId runner, const ::switchyard::worker::v1::ToRunner& frame) = 0;
  virtual void Close(RunnerId runner) = 0;
  virtual void Kill(RunnerId runner) = 0;
};

}  // namespace switchyard::worker
