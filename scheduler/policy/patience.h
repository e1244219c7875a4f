// In which order a tenant's own jobs go, inside one priority: in order of submission, but a short
// job may pass longer ones. Each job has a due order, its submission plus its patience; the least
// goes first. Patience is the time the job is thought to take, on a coarse scale. So a job is never
// passed by one of its tenant's that came later than its own patience after it: a day's training
// waits at most for the shorter work of the next day, a minute's job for none to speak of.
//
// Earliest due date with slack in proportion to length (Baker, Introduction to Sequencing and
// Scheduling, 1974): mean completion falls where lengths differ by orders of magnitude, as they do
// in every published GPU trace, and nothing starves. Pure functions.
#pragma once

#include <cstdint>

#include "common/id/job_id.h"

namespace switchyard::scheduler {

// Steps are few, so that jobs that differ little are in order of submission: up to one minute,
// four, sixteen ... 2^18 minutes (half a year).
inline constexpr uint8_t kPatienceSteps = 10;

// The step of a job that is thought to take so long: by what was learned, else the limit it
// declares. kNever or less than 1: nothing is known, taken as an hour.
uint8_t PatienceStep(int64_t expected_us);

// What jobs of a step wait for others, microseconds. REQUIRES: step < kPatienceSteps.
int64_t PatienceOf(uint8_t step, uint32_t percent);

// Smaller goes first. Of jobs of one step in order of submission. `percent` scales all patience; 0
// is order of submission alone.
uint64_t DueOrder(JobId job, uint8_t step, uint32_t percent);

}  // namespace switchyard::scheduler
