// The words of the scheduling core as plain values: no protobuf, so that the core links and runs
// without it.
//
// Enumerations are equal in number to their namesakes in protos/switchyard/v1 (Job.State,
// Job.Reason, Job.Phase, Attempt.Outcome, JobClass): converting is a cast. Everything here is a
// value; thread-compatible.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "common/id/job_id.h"

namespace switchyard::scheduler {

enum class JobState : uint8_t {
  kUnspecified = 0,
  kBlocked = 1,
  kQueued = 2,
  kRunning = 3,
  kCancelling = 4,
  kSucceeded = 5,
  kFailed = 6,
  kCancelled = 7,
  kExpired = 8,
};

// True for SUCCEEDED, FAILED, CANCELLED, EXPIRED.
constexpr bool HasEnded(JobState state) { return state >= JobState::kSucceeded; }

enum class Reason : uint8_t {
  kNone = 0,
  kBackoff = 1,
  kNotBefore = 2,
  kPaused = 3,
  kLimit = 4,
  kMemory = 5,
  kGang = 6,
  kQuota = 7,
  kNoDevice = 8,
  kAssigned = 9,
  kStopped = 10,
  kWorkFailed = 11,
  kPoison = 12,
  kTimedOut = 13,
  kOutOfMemory = 14,
  kUpstreamFailed = 15,
  kDependencies = 17,
  kPreempted = 18,
  kKeyLimit = 21,
  kArrayWidth = 22,
  kUrgentShare = 23,
  kReserved = 24,
  kStuck = 16,
  kHostBusy = 19,
  kCordoned = 20,
};

enum class Phase : uint8_t { kUnspecified = 0, kPreparing = 1, kWorking = 2, kCheckpointing = 3 };

enum class Outcome : uint8_t {
  kUnspecified = 0,  // Not ended.
  kSucceeded = 1,
  kFailed = 2,
  kCancelled = 3,
  kRunnerLost = 4,
  kWorkerLost = 5,
  kReturned = 6,
  kTimedOut = 7,
  kPreempted = 8,
  kOutOfMemory = 9,
  kStuck = 10,
};

enum class JobClass : uint8_t { kUnspecified = 0, kTraining = 1, kInference = 2, kGeneral = 3 };
inline constexpr int kJobClasses = 4;  // For arrays indexed by class.

inline constexpr int kMostUrgentPriority = 1;
inline constexpr int kLeastUrgentPriority = 9;

// No such time.
inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// One reading of both clocks, taken once a drain. The wall clock may step; the boot clock never
// does.
struct Now {
  int64_t wall_us = 0;  // Microseconds since the Unix epoch.
  int64_t boot_us = 0;  // Microseconds on CLOCK_BOOTTIME; arbitrary zero.
};

// Fencing number of a dispatch: leader epoch, then a counter inside it from 1.
struct Fencing {
  uint64_t epoch = 0;
  uint64_t counter = 0;
  friend auto operator<=>(const Fencing&, const Fencing&) = default;
};

// Names one attempt under one lease.
struct AttemptRef {
  JobId job = 0;
  uint32_t attempt = 0;  // From 1.
  Fencing fencing;
  friend auto operator<=>(const AttemptRef&, const AttemptRef&) = default;
};

// That a job belongs to an array, of which at most `width` run at once.
struct ArrayMembership {
  JobId id = 0;  // 0 with a width: the array that this submit begins, named by its first job.
  uint32_t width = 0;
  friend bool operator==(const ArrayMembership&, const ArrayMembership&) = default;
};

// One rule of limits; the most specific one that matches (worker, device, class) counts
// (policy/limits.h).
struct LimitRule {
  std::string worker;  // Empty: every worker.
  std::string device;  // `cpu`, `cuda`, `cuda:N`; empty: every device.
  JobClass job_class = JobClass::kUnspecified;
  uint32_t max_running = 0;
  friend bool operator==(const LimitRule&, const LimitRule&) = default;
};

// A limit in force on one worker. `device` is empty for GENERAL, which is per worker.
struct DeviceLimit {
  std::string device;
  JobClass job_class = JobClass::kUnspecified;
  uint32_t max_running = 0;
};

// How much resident models may take on a device (worker_service.proto, ServingBudget).
struct ServingBudget {
  std::string device;
  int64_t bytes = 0;
  uint64_t sequence = 0;  // Counts up for the device within a session, from 1.
};

// What the serving runner of a device holds (worker_service.proto, ServingState).
struct ServingState {
  std::string device;
  uint64_t sequence = 0;  // Newest budget it obeys; 0: none yet.
  int64_t held_bytes = 0;
  int64_t busy_bytes = 0;    // Of these, what cannot be evicted now.
  int64_t budget_bytes = 0;  // It may come to hold so much.
};

// Memory and processors of a worker's host (v1.HostFigures).
struct HostFigures {
  std::string ledger_id;  // Workers that say the same share one memory; empty: none.
  int64_t memory_total_bytes = 0;
  int64_t memory_used_bytes = 0;
  int64_t memory_ceiling_bytes = 0;  // 0: none.
  int64_t cpu_used_millicores = 0;
  int64_t cpu_ceiling_millicores = 0;  // 0: none.
};

// A worker whose cpu device draws on a shared ledger (HostFigures::ledger_id).
struct LedgerUser {
  std::string ledger;
  std::string worker;
  friend auto operator<=>(const LedgerUser&, const LedgerUser&) = default;
};

// A worker that gets no new work by an operator's wish, attached or not.
struct Cordon {
  std::string worker;
  std::string reason;             // For people.
  int64_t drain_deadline_us = 0;  // Wall clock; 0: what runs there may end in its own time.
  friend bool operator==(const Cordon&, const Cordon&) = default;
};

}  // namespace switchyard::scheduler
