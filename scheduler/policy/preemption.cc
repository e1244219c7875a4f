#include "scheduler/policy/preemption.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

constexpr uint32_t kMostDoublings = 10;

}  // namespace

bool BetterVictim(const Victim& a, const Victim& b) {
  if (a.saved_us != b.saved_us) return a.saved_us > b.saved_us;
  if (a.priority != b.priority) return a.priority > b.priority;
  return a.job > b.job;
}

int64_t ProtectedUntil(int64_t start_us, uint32_t preempted, const PreemptionPolicy& policy) {
  const int64_t run_us = policy.min_run_us << std::min(preempted, kMostDoublings);
  return start_us > kNever - run_us ? kNever : start_us + run_us;
}

int FirstVictimPriority(int waiting_priority, const PreemptionPolicy& policy) {
  return waiting_priority + static_cast<int>(policy.priority_distance);
}

bool WorthPreempting(int64_t expected_start_us, int64_t now_us, int64_t grace_us) {
  return expected_start_us == kNever || expected_start_us - now_us > grace_us;
}

}  // namespace switchyard::scheduler
