// A job as the store keeps it: everything about it that is not its spec. The engine turns it into a
// row's columns and `record` bytes and back; the core makes one for each changed job of a drain and
// takes one back at Restore.
//
// Values; thread-compatible. Times are wall-clock microseconds since the Unix epoch, 0: unset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// An artifact a job produced (v1.OutputArtifact).
struct OutputArtifact {
  std::string name;
  std::string sha256;  // 64 lower-case hex digits.
  int64_t size_bytes = 0;
  std::string media_type;
  uint32_t attempt = 0;  // Set by the core on acceptance.
};

// What one worker does for an attempt on several devices (v1.Member).
struct MemberImage {
  std::string worker;
  std::vector<std::string> devices;  // In order of rank.
  Outcome outcome = Outcome::kUnspecified;
};

// One try (v1.Attempt).
struct AttemptImage {
  uint32_t number = 0;
  std::string worker;
  std::string device;  // Of the assignment; then the one really used.
  std::string device_name;
  int64_t dispatch_us = 0;
  int64_t start_us = 0;
  int64_t end_us = 0;
  Outcome outcome = Outcome::kUnspecified;
  std::string error;  // Opaque: serialized google.rpc.Status; empty: none.
  Fencing fencing;
  std::string resumed_from;
  std::vector<MemberImage> members;  // In order of rank; empty: one device. The first is `worker`.
  int64_t memory_granted_bytes = 0;  // On each device; 0: nothing was set apart.
  int64_t memory_peak_bytes = 0;     // 0: not measured.
};

// One change of state (v1.StateChange). A change of reason alone is none.
struct StateChange {
  uint32_t number = 0;
  JobState state = JobState::kUnspecified;
  Reason reason = Reason::kNone;
  int64_t time_us = 0;
  uint32_t attempt = 0;
};

// Where the time of the last attempt went (v1.Timings), microseconds.
struct TimingsImage {
  int64_t queued_us = 0;
  int64_t dispatched_us = 0;
  int64_t prepared_us = 0;
  int64_t run_us = 0;
  int64_t stored_us = 0;
};

// Jobs whose ids follow each other without gaps.
struct JobRange {
  JobId first = 0;
  uint32_t count = 1;
  friend auto operator<=>(const JobRange&, const JobRange&) = default;
};

// How a job hangs together with others.
struct JobLinks {
  // Must have succeeded before it runs.
  std::vector<JobRange> depends_on;
  // Depend on it; those told while it lived.
  std::vector<JobRange> dependents;
  // Opaque: which fields get which outputs of the jobs it depends on; empty: none, or done.
  std::string wiring;
  // Its inputs are still to be resolved by the engine before it may run.
  bool unresolved = false;
  // It may take the result of an earlier job with the same inputs.
  bool reuse = false;
  // Opaque: its kind's spec with all inputs in place; empty: as submitted.
  std::string inputs;
  // What makes it equal to another job; set when resolved and `reuse`.
  std::string reuse_key;
  // The job whose result it took; 0: none.
  JobId reused_from = 0;
  bool empty() const { return *this == JobLinks(); }
  friend bool operator==(const JobLinks&, const JobLinks&) = default;
};

// What ends with the job or may be asked while it lives.
// Name of the outputs that hold what attempts told, in order: all segments of one story, where of
// other outputs a name is the newest of that name.
inline constexpr char kEventsOutput[] = "events";
// Most of them a job keeps, over all its attempts; then the oldest go. An attempt has some twenty.
inline constexpr size_t kEventSegmentsKept = 64;

struct JobImage {
  JobId id = 0;
  std::string tenant;
  std::string key;        // Id of the key charged; empty: none.
  ArrayMembership array;  // Its id is 0 only when the job is of none.
  uint16_t kind = 0;      // KindConfig::number.
  uint8_t priority = 5;   // As submitted or as changed since.
  JobState state = JobState::kQueued;
  Reason reason = Reason::kNone;
  Phase phase = Phase::kUnspecified;  // Not stored: published only.
  double progress = 0;
  std::string message;
  std::string error;  // Opaque: serialized google.rpc.Status of a FAILED or EXPIRED job; empty: see
                      // `error_code`.
  int32_t error_code = 0;  // Canonical code, where the core itself ended the job (`message` says
                           // why) and `error` is empty.
  std::string device = "auto";  // Device asked for.
  std::string model_key;        // Model a job wants resident: `NAME:VERSION`; empty: none.
  std::string labels;  // Opaque: the engine's serialized changed labels; see `labels_changed`.
  bool labels_changed = false;
  bool stop_requested = false;  // CANCELLING by `:stop`.
  int64_t create_us = 0;
  int64_t start_us = 0;  // Start of the first attempt.
  int64_t end_us = 0;
  int64_t not_before_us = 0;
  int64_t expire_us = 0;
  int64_t timeout_us = 0;       // 0: the kind's default. Longest run of one attempt.
  int64_t retry_us = 0;         // Backoff: not before this.
  uint32_t lost_attempts = 0;   // Counts towards POISON; reset by `:retry`.
  uint32_t lost_unstarted = 0;  // As `lost_attempts`, of attempts never seen to start.
  uint32_t failed_attempts = 0;
  uint32_t preempted_attempts = 0;  // Never reset: they count towards nothing.
  uint16_t device_count = 1;        // More: a gang.
  std::optional<bool> preemptible;  // Unset: as the kind says (rows of older versions).
  uint32_t attempt_count = 0;  // Attempts so far; `attempts` holds the last 16 of them. The last
                               // one runs when its outcome is unspecified.
  uint32_t change_count = 0;   // State changes so far, never reset; `history` holds the last 64.
  std::vector<AttemptImage> attempts;
  std::vector<StateChange> history;
  TimingsImage timings;
  std::vector<OutputArtifact> outputs;
  int64_t memory_bytes = 0;         // Stated need of a device; 0: none.
  int64_t memory_raised_bytes = 0;  // After an attempt ran out; 0: as stated or learned.
  uint32_t batch_limit = 0;         // 0: as the spec says.
  uint32_t out_of_memory_attempts = 0;
  int64_t no_progress_us = 0;  // Stated; 0: learned.
  std::string shape;           // NewJob::shape.
  std::string checkpoint;      // SHA-256 of the last accepted checkpoint; empty: none.
  std::string result;          // Opaque: Finished.result.
  uint32_t max_attempts = 0;   // Most attempts that may fail by themselves; 0: as configured.
  JobLinks links;
};

inline constexpr size_t kAttemptsKept = 16;
inline constexpr size_t kChangesKept = 64;

}  // namespace switchyard::scheduler
