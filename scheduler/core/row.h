// How the core holds a live job: a compact row for each, and what is only there once something
// happened to it behind a pointer. A million queued jobs are a million rows and no cold parts.
// Internal to the core.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/core/image.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Why a live job is going to end though an attempt is still on a worker.
enum class Ending : uint8_t { kNone, kCancel, kStop, kExpire, kTimeout, kStuck };

// Which part of the waiting queue holds a row.
enum class Waits : uint8_t { kNot, kInOrder, kEarly };

// What most queued jobs do not have.
struct JobCold {
  std::string message;
  std::string error;
  int32_t error_code = 0;
  std::string labels;
  bool labels_changed = false;
  int64_t start_us = 0;
  int64_t end_us = 0;
  int64_t not_before_us = 0;
  int64_t expire_us = 0;
  int64_t timeout_us = 0;
  int64_t retry_us = 0;
  uint32_t lost = 0;
  uint32_t lost_unstarted = 0;
  uint32_t failed = 0;
  uint32_t preempted = 0;
  uint32_t attempt_count = 0;
  uint32_t change_count = 0;
  uint32_t wake_timer = kNone;
  uint32_t expire_timer = kNone;
  std::vector<AttemptImage> past;
  std::vector<StateChange> history;
  TimingsImage timings;
  std::vector<OutputArtifact> outputs;
  std::string checkpoint;
  std::string result;
  int64_t memory_bytes = 0;  // As JobImage's, and so the following.
  int64_t memory_raised_bytes = 0;
  int64_t no_progress_us = 0;
  uint32_t batch_limit = 0;
  uint32_t out_of_memory = 0;
  uint32_t max_attempts = 0;
  std::unique_ptr<JobLinks> links;
  uint32_t open_groups = 0;  // BLOCKED: groups (core/dependencies.h) that are not over.
  uint64_t generation = 0;   // Of its waiting: another each time it begins.
};

struct LiveJob {
  JobId id = 0;
  int64_t create_us = 0;
  std::unique_ptr<JobCold> cold;
  uint32_t account = 0;      // Tenant, key and array (accounts.h).
  uint32_t model = 0;        // Interned; 0: none.
  uint32_t attempt = kNone;  // The live attempt.
  uint32_t stream = kNone;   // Of the waiting queue.
  uint32_t previous = kNone;
  uint32_t next = kNone;
  uint16_t device = 0;  // Interned request.
  uint8_t kind = 0;     // Index into the core's kinds.
  uint8_t priority = 0;
  uint16_t device_count = 1;  // More: a gang.
  uint8_t patience = 0;       // Step of the time it is thought to take (policy/patience.h).
  uint8_t memory_step = 0;    // Need of memory per device as a step; 0: none or unknown.
  JobState state = JobState::kUnspecified;
  Reason reason = Reason::kNone;
  Ending ending = Ending::kNone;
  Waits waits = Waits::kNot;
  bool preemptible : 1 = false;
  // Since the last TakeChanges:
  bool listed : 1 = false;
  bool store : 1 = false;
  bool inserted : 1 = false;
  bool deleted : 1 = false;
  uint16_t workload = 0;  // Of Learned: work that is alike.
};

// One attempt on a worker.
struct LiveAttempt {
  uint32_t job = kNone;
  uint32_t number = 0;
  Fencing fencing;
  uint32_t worker = kNone;
  uint32_t pool = kNone;
  uint32_t previous_of_worker = kNone;
  uint32_t next_of_worker = kNone;
  uint32_t previous_held = kNone;
  uint32_t next_held = kNone;
  uint32_t timer = kNone;
  uint32_t device = 0;       // Interned.
  uint32_t device_name = 0;  // Interned.
  int64_t dispatch_us = 0;   // Wall clock.
  int64_t dispatch_boot_us = 0;
  int64_t start_us = 0;  // Wall clock.
  int64_t start_boot_us = 0;
  int64_t expected_us = 0;      // 0: unknown.
  int64_t expected_end_us = 0;  // Boot clock; 0: not in ExpectedEnds.
  int64_t saved_boot_us = 0;    // Last checkpoint, or start.
  uint32_t shape = kNone;       // Of the place it was handed out to, in this core.
  uint64_t rank = 0;
  int64_t granted_bytes = 0;     // Of memory, on each device; 0: nothing was set apart.
  int64_t peak_bytes = 0;        // As reported at its end.
  int64_t no_progress_us = 0;    // STUCK after so long without progress; 0: never.
  int64_t progress_boot_us = 0;  // Last sign of progress.
  float progress = 0;
  Phase phase = Phase::kUnspecified;
  uint8_t level = 0;
  bool victim_gpu = false;
  uint8_t victim_priority = 0;     // Stands in Victims with this priority; 0: does not.
  uint32_t gang = kNone;           // Of several devices: each has a LiveAttempt of its own.
  uint32_t member = 0;             // Its place in Gang::members.
  uint32_t preempted_for = kNone;  // Group that asked for its devices.
  bool over = false;               // Its member of the gang has ended: off its worker.
  bool preempted = false;          // Was given notice.
  bool started = false;
  bool held = false;       // In its pool's list of not-started ones.
  bool cancelled = false;  // A hard cancel was sent.
  bool recalled = false;
  bool seen = false;     // While an Attach is reconciled.
  bool urgent = false;   // Of priority 1 or 2 when it was handed out.
  bool resumed = false;  // Began from `JobCold::checkpoint` as it then was.
  std::string resumed_from;
};

}  // namespace switchyard::scheduler
