// What the scheduler counts. The registry is injected and owned by the caller. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "common/clock/clock.h"
#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "scheduler/core/types.h"
#include "scheduler/engine/engine.h"
#include "scheduler/engine/live_view.h"

namespace switchyard::scheduler {

class ServiceMetrics {
 public:
  // switchyard_jobs_submitted_total, switchyard_jobs_ended_total{kind,state}.
  explicit ServiceMetrics(prometheus::Registry& registry);

  // Jobs whose acceptance is committed.
  void Submitted(size_t jobs) { submitted_->Increment(static_cast<double>(jobs)); }
  // A job whose end is committed.
  void Ended(uint16_t kind, JobState state);

 private:
  prometheus::Counter* submitted_;
  std::map<std::pair<uint16_t, JobState>, prometheus::Counter*>
      ended_;  // Every known pair; never changed.
};

// Queue, fleet and engine as they are when asked: switchyard_jobs_queued{priority},
// switchyard_jobs_running, switchyard_queue_oldest_age_seconds, switchyard_workers{state},
// switchyard_attempts{job_class,state}, switchyard_engine_*_total and
// switchyard_commit_seconds_total. All are borrowed.
std::shared_ptr<prometheus::Collectable> MakeEngineMetrics(const LiveView& live,
                                                           const EngineStats& stats, Clock& clock);

}  // namespace switchyard::scheduler
