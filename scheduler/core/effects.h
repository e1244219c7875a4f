// What the core decided in a drain. Nothing here may be performed before the drain's commit
// succeeded; after a failed or unknown commit all of it is thrown away with the core.
//
// To one session: welcome first, then limits, serving budgets, assignments, cancels, recalls,
// acknowledgements, in the order listed here.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Why a command was refused; the engine makes it an error with details (common/status). `code` OK:
// not refused.
struct Refusal {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string reason;   // UPPER_SNAKE.
  std::string message;  // For people: names the thing and the next step.
  std::vector<std::pair<std::string, std::string>> metadata;
  int64_t retry_delay_us = 0;  // 0: none.
};

struct Reply {
  uint64_t tag = 0;
  JobId job = 0;  // First id of a submit; else the job of the command.
  Refusal refusal;
  bool ok() const { return refusal.code == absl::StatusCode::kOk; }
};

// Answer to a WorkerAttached.
struct WelcomeWorker {
  uint64_t session = 0;
  std::vector<AttemptRef> keep;
  std::vector<DeviceLimit> limits;
  std::vector<ServingBudget> serving_budgets;
};

struct PushServingBudgets {
  uint64_t session = 0;
  std::vector<ServingBudget> budgets;  // Changed ones.
};

struct PushLimits {
  uint64_t session = 0;
  std::vector<DeviceLimit> limits;  // Whole list.
};

// A worker's place in an attempt on several devices (worker.v1.Gang).
struct GangPlace {
  uint32_t size = 0;  // Devices of the whole attempt; 0: the attempt has one device.
  uint32_t rank = 0;  // Of this worker's first device.
  uint32_t members = 0;
  uint32_t member = 0;
  std::string rendezvous;            // `HOST:PORT`.
  std::vector<std::string> devices;  // This worker's, in order of rank.
};

// The engine adds the spec, read from the store (or from this drain's submit), and resolved models.
struct AssignAttempt {
  uint64_t session = 0;
  AttemptRef ref;
  JobClass job_class = JobClass::kUnspecified;
  std::string device;
  uint64_t rank = 0;           // Lower starts first among held attempts.
  std::string resume_from;     // SHA-256 of a checkpoint; empty: from the beginning.
  int64_t memory_bytes = 0;    // Hard limit of its allocations on each device; 0: none.
  uint32_t batch_limit = 0;    // Largest batch; 0: as the spec says.
  int64_t no_progress_us = 0;  // Ended without progress for so long; 0: never.
  GangPlace gang;
};

struct CancelAttempt {
  uint64_t session = 0;
  AttemptRef ref;
  bool checkpoint_first = false;
  bool preempt = false;  // Checkpoint and hand back; a hard cancel follows after `grace_us`.
  int64_t grace_us = 0;
};

// A ref for one session: recalls and acknowledgements.
struct SessionRef {
  uint64_t session = 0;
  AttemptRef ref;
};

struct HeartbeatAck {
  uint64_t session = 0;
  uint64_t sequence = 0;
};

struct Effects {
  std::vector<Reply> replies;
  std::vector<WelcomeWorker> welcomes;
  std::vector<PushLimits> limits;
  std::vector<AssignAttempt> assignments;
  std::vector<CancelAttempt> cancels;
  std::vector<SessionRef> recalls;
  std::vector<SessionRef> acknowledgements;
  std::vector<HeartbeatAck> heartbeat_acks;
  std::vector<uint64_t>
      closed_sessions;  // To be ended: replaced by a newer Attach, or silent past its lease.
  // Jobs whose success was accepted in this drain and whose kind registers a model
  // (KindConfig::registers_model). The engine writes the model version in the same transaction.
  std::vector<JobId> registrations;
  // Jobs that wait for nothing more than their inputs: to be answered with InputsResolved in a
  // later drain. Told once; after a rebuild of the core again.
  std::vector<JobId> ready;
  std::vector<PushServingBudgets> serving_budgets;
  bool cordons_changed = false;       // Store Core::cordons().
  bool ledger_users_changed = false;  // Store Core::ledger_users().
  bool limits_changed = false;        // Store Core::limits().
  bool settings_changed = false;      // Store Core::live_settings().
  bool fleet_changed = false;  // Workers, devices or their sessions changed; publish Core::Fleet().

  // Keeps the memory of what nearly every drain has.
  void Clear() {
    Effects empty;
    const auto keep = [](auto& into, auto& from) {
      from.clear();
      into.swap(from);
    };
    keep(empty.replies, replies);
    keep(empty.assignments, assignments);
    keep(empty.acknowledgements, acknowledgements);
    *this = std::move(empty);
  }
};

}  // namespace switchyard::scheduler
