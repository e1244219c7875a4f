#include "scheduler/policy/patience.h"

#include "scheduler/core/types.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;
constexpr int64_t kUnknownUs = 60 * kMinuteUs;
constexpr int64_t kMicrosecondsPerMillisecond = 1000;
constexpr int kCounterBits = 20;  // Of a job id, below its milliseconds.

}  // namespace

uint8_t PatienceStep(int64_t expected_us) {
  if (expected_us < 1 || expected_us == kNever) expected_us = kUnknownUs;
  uint8_t step = 0;
  while (step + 1 < kPatienceSteps && PatienceOf(step, 100) < expected_us) ++step;
  return step;
}

int64_t PatienceOf(uint8_t step, uint32_t percent) {
  return (kMinuteUs << 2 * step) / 100 * percent;
}

uint64_t DueOrder(JobId job, uint8_t step, uint32_t percent) {
  const int64_t patience_ms = PatienceOf(step, percent) / kMicrosecondsPerMillisecond;
  return job + (static_cast<uint64_t>(patience_ms) << kCounterBits);
}

}  // namespace switchyard::scheduler
