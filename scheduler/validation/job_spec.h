// What a submitted job must be, and the form it is stored in: checked whole, output-only fields
// dropped, defaults filled in, so that a stored job always shows the values it runs with. Looks at
// the job alone; what it refers to is the business of references.h. Thread-safe: pure functions.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "scheduler/validation/field_faults.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

// Most bytes a job may carry inline.
inline constexpr size_t kMostInlineBytes = 64 * 1024;

// What the configuration and the caller's key allow.
struct SubmitRules {
  bool allow_noop = false;
  // Most urgent priority the caller may ask for, 1 to 9.
  uint32_t highest_priority = 1;
  // Scopes of the caller's key: `commands` and `commands.network`.
  bool commands = false;
  bool commands_network = false;
};

// Brings `job` into its stored form and adds what is wrong with it to `faults`. The form of a
// faulty job is unspecified.
void NormalizeJob(v1::Job& job, FieldFaults& faults);

// A job that states no priority gets its kind's, but none more urgent than its caller may ask for.
// Around NormalizeJob: `stated` is whether it had one before.
void BoundDefaultPriority(bool stated, uint32_t highest_priority, v1::Job& job);

// What a well-formed job may still be refused for: PERMISSION_DENIED (priority more urgent than
// allowed; a kind that needs a scope the caller lacks), FAILED_PRECONDITION (kind noop is switched
// off; names the setting). `faults` gives the path only. REQUIRES: NormalizeJob found nothing wrong
// with it.
absl::Status CheckAllowed(const v1::Job& job, const SubmitRules& rules, const FieldFaults& faults);

// The priority part of CheckAllowed.
absl::Status CheckPriorityAllowed(uint32_t priority, uint32_t highest_priority,
                                  const FieldFaults& faults);

// The parts of NormalizeJob, one per kind. Paths are below the job.
void NormalizeNoop(v1::NoopSpec& spec, FieldFaults& faults);
void NormalizeTrain(v1::TrainSpec& spec, FieldFaults& faults);
void NormalizePredict(v1::PredictSpec& spec, FieldFaults& faults);
void NormalizeCommand(v1::CommandSpec& spec, FieldFaults& faults);

// Form of a source: exactly one location; a path absolute and without `..`; an artifact a hash.
// `field` is its path.
void CheckSource(const v1::Source& source, absl::string_view field, FieldFaults& faults);

// Form of the common fields that UpdateJob changes too.
void CheckPriority(uint32_t priority, FieldFaults& faults);
void CheckLabels(const google::protobuf::Map<std::string, std::string>& labels,
                 FieldFaults& faults);

}  // namespace switchyard::scheduler
