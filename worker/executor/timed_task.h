// The port for a kind whose work is only waiting: it needs no thread, so a runner does a hundred
// thousand a second.
//
// Why beside Executor: a thread for each attempt costs 20 us and a stack; `noop` has to show what
// the service costs, not what a thread costs. Kinds register in worker/tasks/registry like
// executors; a kind is one or the other.
//
// Used by one thread at a time: Begin once, then Finish once when the hold is over.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "switchyard/v1/job.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::worker {

// What Begin asks for.
struct TimedPlan {
  absl::Duration hold;  // Time until Finish is called; zero or less: at once.
  bool announce_first =
      false;  // The start is reported before Finish, because Finish may end the process.
};

class TimedTask {
 public:
  virtual ~TimedTask() = default;
  // Checks the spec. `job` outlives Finish. Errors as of Executor::Prepare.
  virtual absl::StatusOr<TimedPlan> Begin(const ::switchyard::v1::Job& job,
                                          const ::switchyard::worker::v1::AttemptRef& ref) = 0;
  // The result, as of Executor::Run. Does not block.
  virtual absl::StatusOr<::switchyard::v1::Job> Finish() = 0;
};

}  // namespace switchyard::worker
