#include "scheduler/engine/core_kinds.h"

#include "common/kind/kind.h"

namespace switchyard::scheduler {

std::vector<KindConfig> CoreKinds() {
  std::vector<KindConfig> kinds;
  for (const KindTraits& traits : AllKinds()) {
    const bool endless = traits.default_timeout == absl::InfiniteDuration();
    KindConfig& kind = kinds.emplace_back();
    kind.name = std::string(traits.name);
    kind.number = static_cast<uint16_t>(traits.field);
    kind.job_class = static_cast<JobClass>(traits.job_class);
    kind.default_timeout_us = endless ? kNever : absl::ToInt64Microseconds(traits.default_timeout);
    kind.assumed_run_time_us = absl::ToInt64Microseconds(traits.assumed_run_time);
    kind.checkpoints = traits.checkpoints;
    kind.default_memory_bytes = traits.default_memory_bytes;
    kind.shrinks_batch = traits.shrinks_batch;
    kind.reports_progress = traits.reports_progress;
    kind.registers_model = traits.field == v1::Job::kTrain;
  }
  return kinds;
}

}  // namespace switchyard::scheduler
