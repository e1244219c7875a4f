// What waiting jobs wait for now. A row says what its job waited for when it was written last; the
// engine knows what it is since, and is asked for a page of jobs at once. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/service/backend.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

class WaitingReasons {
 public:
  WaitingReasons() = default;
  explicit WaitingReasons(std::vector<WaitingNow> waiting);

  // Writes reason and message of a QUEUED job as they are now; leaves alone what is not known.
  void Write(v1::Job& job) const;

 private:
  std::vector<WaitingNow> waiting_;  // By id.
};

// Calls `done` with what these jobs wait for: on the engine's thread, or here when there is nothing
// to ask. `done` must not block. When the engine cannot answer (no store, too much waits for it)
// nothing is known: what is stored is then the best there is, and a read does not fail for it.
// REQUIRES: the jobs are the tenant's, at most 1,000.
void AskWhatTheyWaitFor(const Backend& backend, std::vector<JobId> jobs,
                        std::function<void(WaitingReasons)> done);

}  // namespace switchyard::scheduler
