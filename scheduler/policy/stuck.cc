#include "scheduler/policy/stuck.h"

#include <algorithm>

#include "scheduler/core/types.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kForgetShare = 16;
constexpr int64_t kGapsAllowed = 10;

}  // namespace

int64_t LearnGap(int64_t usual_us, int64_t gap_us) {
  gap_us = std::max<int64_t>(gap_us, 1);
  if (gap_us >= usual_us) return gap_us;
  return std::max<int64_t>(usual_us - (usual_us - gap_us) / kForgetShare, 1);
}

int64_t NoProgressLimit(const ProgressKnowledge& known) {
  if (known.stated_us > 0) return known.stated_us;
  if (!known.reports_progress || known.usual_gap_us <= 0) return 0;
  if (known.usual_gap_us > kNever / kGapsAllowed) return 0;
  return std::max(kLeastNoProgressUs, known.usual_gap_us * kGapsAllowed);
}

}  // namespace switchyard::scheduler
