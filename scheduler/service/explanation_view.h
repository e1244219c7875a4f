// How an explanation looks from outside, with a sentence that has its numbers. Thread-safe: pure
// functions.
#pragma once

#include "scheduler/core/explain.h"
#include "scheduler/core/image.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

void WriteExplanation(const Explanation& explanation, v1::Explanation* message);

// Of a job that has ended: how.
void WriteExplanation(const JobImage& ended, v1::Explanation* message);

}  // namespace switchyard::scheduler
