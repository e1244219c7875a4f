// What attempts tell on their way: events, progress, segments.
#include <utility>

#include "common/id/job_id.h"
#include "common/log/log.h"
#include "worker/agent/agent.h"

namespace switchyard::worker {

using ::switchyard::worker::v1::AttemptEvents;
using ::switchyard::worker::v1::AttemptReport;

void Agent::OnEvents(AttemptEvents& events) {
  const AttemptKey key = KeyOf(events.ref());
  Attempt* attempt = Find(key);
  if (attempt == nullptr || attempt->forgotten || attempt->end != nullptr) return;
  bool moved = false;
  for (const auto& event : events.events()) {
    if (!event.has_progress() || attempt->started == nullptr) continue;
    attempt->started->set_phase(event.progress().phase());
    attempt->started->set_progress(event.progress().fraction());
    moved = true;
  }
  // A gang's story is told by its first member.
  if (attempt->assignment.gang().member() == 0) {
    if (attempt->log == nullptr) attempt->log = std::make_unique<EventLog>(key.attempt);
    attempt->log->Append(&events);
    Tell(std::move(events));
    if (attempt->log->unstored_bytes() >= kSegmentBytes && !attempt->storing) {
      StoreSegments(key, *attempt);
    } else if (!attempt->log->stored() && attempt->store_at == absl::InfiniteDuration()) {
      attempt->store_at = clock_.BootTime() + options_.segment_interval;
    }
  }
  if (moved) TellProgress(*attempt);
}

// At most once an interval: each tells the newest, and the scheduler looks at when the last came.
void Agent::TellProgress(Attempt& attempt) {
  const absl::Duration now = clock_.BootTime();
  attempt.progress_waits = now < attempt.progress_at;
  if (attempt.progress_waits || attempt.end != nullptr) return;
  attempt.progress_at = now + options_.progress_interval;
  Tell(StateOf(attempt));
}

void Agent::StoreSegments(const AttemptKey& key, Attempt& attempt) {
  attempt.storing = true;
  attempt.store_at = absl::InfiniteDuration();
  segments_.Store(attempt.log->TakeSegments(),
                  [this, key](absl::StatusOr<SegmentStore::Artifacts> artifacts) {
                    OnSegmentsStored(key, std::move(artifacts));
                  });
}

void Agent::OnSegmentsStored(const AttemptKey& key,
                             absl::StatusOr<SegmentStore::Artifacts> artifacts) {
  MutexLock lock(mutex_);
  Attempt* attempt = Find(key);
  if (attempt == nullptr || attempt->log == nullptr) return;
  attempt->storing = false;
  if (artifacts.ok()) {
    for (auto& artifact : *artifacts) artifact.set_attempt(key.attempt);
    attempt->log->Stored(*std::move(artifacts));
  } else {
    attempt->log->NotStored();
    LogError("cannot store an attempt's events", {{"job", FormatJobId(key.job)},
                                                  {"attempt", key.attempt},
                                                  {"error", artifacts.status().ToString()}});
  }
  if (attempt->stage == Stage::kStoring) {
    if (attempt->forgotten) {
      attempts_.erase(key);
    } else if (artifacts.ok() && !attempt->log->stored()) {
      StoreSegments(key, *attempt);  // What came while the last was on its way.
    } else {
      ReportEnd(*attempt);
    }
    return;
  }
  if (attempt->forgotten) return;
  if (artifacts.ok()) Tell(SegmentsOf(*attempt));
  if (!attempt->log->stored()) attempt->store_at = clock_.BootTime() + options_.segment_interval;
}

AttemptReport Agent::SegmentsOf(const Attempt& attempt) const {
  AttemptReport report;
  *report.mutable_ref() = attempt.assignment.ref();
  for (auto& artifact : attempt.log->Artifacts()) {
    *report.mutable_segments()->add_artifacts() = std::move(artifact);
  }
  return report;
}

}  // namespace switchyard::worker
