// Why a job waits, as numbers: what Core::Explain gives and the service puts into words. Values.
//
// What is said holds for the moment of asking. Cost is bounded whatever the numbers of jobs and
// workers; where the bound cuts, `approximate` says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/core/settings.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// What `start_us` rests on, or why there is none.
enum class StartBasis : uint8_t {
  kNone,            // It does not wait.
  kRoomNow,         // A place is free, it is next.
  kRunTimes,        // Expected run times of what runs and comes before.
  kRunningUnknown,  // What runs has no expected run time.
  kAheadUnknown,    // What comes before has none.
  kHeld,            // A quota, limit or pause must be lifted first.
  kNotYet,          // It joins the queue later (`until_us`, dependencies).
  kNoPlace,         // Nothing that fits is attached.
};

// Where a memory need comes from.
enum class NeedSource : uint8_t { kUnknown, kStated, kLearned, kDefault };

// One device (or worker, for classes without devices) that fits.
struct ExplainedPlace {
  std::string worker;
  std::string device;
  uint32_t running = 0;
  uint32_t assigned = 0;
  uint32_t limit = 0;
  int64_t memory_free_bytes = 0;
  Reason reason = Reason::kNone;  // Why it takes nothing now.
  int64_t room_us = kNever;       // Wall clock; kNever: unknown.
};

// A count at its limit.
struct ExplainedCount {
  std::string name;  // `tenant.max_running`.
  std::string subject;
  double used = 0;
  double limit = 0;
};

struct Explanation {
  JobId job = 0;
  JobState state = JobState::kUnspecified;
  Reason reason = Reason::kNone;
  uint16_t kind = 0;  // KindConfig::number.
  std::string device;
  uint32_t device_count = 1;
  uint64_t position = 0;  // From 1; 0: not in the order.
  uint64_t competing = 0;
  bool approximate = false;
  int64_t start_us = kNever;  // Wall clock.
  StartBasis basis = StartBasis::kNone;
  int64_t until_us = 0;                // Wall clock; 0: no such time.
  int64_t expected_run_us = 0;         // 0: unknown.
  std::vector<ExplainedPlace> places;  // At most kPlacesExplained, earliest room first.
  uint32_t places_total = 0;
  uint32_t devices_free = 0;
  std::vector<std::string> existing_devices;  // Where none fits: `cpu (worker)`; bounded.
  int64_t memory_need_bytes = 0;
  NeedSource memory_source = NeedSource::kUnknown;
  int64_t largest_free_bytes = 0;
  std::vector<ExplainedCount> counts;
  // A cap has room, and that is kept for a job of so many devices at once; 0: it is not.
  uint32_t cap_kept_for = 0;
  std::vector<PauseRule> pauses;  // PAUSED: those that hold it.
  std::vector<JobId> depends_on;
  std::vector<std::string> workers;
};

inline constexpr size_t kPlacesExplained = 32;

// What a QUEUED job waits for now, without the numbers: its row says what it was when the row was
// written last.
struct WaitingNow {
  JobId job = 0;
  Reason reason = Reason::kNone;
  std::string message;
};

}  // namespace switchyard::scheduler
