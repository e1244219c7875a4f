// Who waits for whom: BLOCKED jobs, from the submit to the day they may run or never will.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core_impl.h"

namespace switchyard::scheduler {
namespace {

absl::string_view StateName(JobState state) {
  switch (state) {
    case JobState::kFailed:
      return "FAILED";
    case JobState::kCancelled:
      return "CANCELLED";
    case JobState::kExpired:
      return "EXPIRED";
    default:
      return "not succeeded";
  }
}

Refusal UpstreamRefusal(JobId job, JobState state) {
  const std::string id = FormatJobId(job);
  if (state == JobState::kUnspecified) {
    return {.code = absl::StatusCode::kNotFound,
            .reason = "JOB_NOT_FOUND",
            .message = absl::StrCat("depends_on: there is no job ", id),
            .metadata = {{"job", id}}};
  }
  return {.code = absl::StatusCode::kFailedPrecondition,
          .reason = "UPSTREAM_FAILED",
          .message = absl::StrCat("depends_on: job ", id, " has ended ", StateName(state),
                                  "; retry that one first"),
          .metadata = {{"job", id}}};
}

}  // namespace

JobLinks& Core::Impl::Links(uint32_t job) {
  JobCold& cold = Cold(job);
  if (cold.links == nullptr) cold.links = std::make_unique<JobLinks>();
  return *cold.links;
}

bool Core::Impl::LivesStill(JobId id) const {
  const uint32_t job = Find(id);
  return job != kNone && !HasEnded(rows_[job].state);
}

bool Core::Impl::MayWaitFor(uint32_t tenant, const JobRange& range,
                            const std::map<JobId, JobState>& stored, Refusal& refusal) const {
  for (JobId id = range.first; id < range.first + range.count; ++id) {
    const uint32_t job = Find(id);
    JobState state = JobState::kUnspecified;
    if (job != kNone) {
      const bool own = accounts_[rows_[job].account].tenant == tenant;
      if (own && !rows_[job].deleted) state = rows_[job].state;
    } else if (const auto found = stored.find(id); found != stored.end()) {
      if (!deleted_ids_.contains(id)) state = found->second;
    }
    const bool fine =
        state != JobState::kUnspecified && (!HasEnded(state) || state == JobState::kSucceeded);
    if (fine) continue;
    refusal = UpstreamRefusal(id, state);
    return false;
  }
  return true;
}

bool Core::Impl::DependenciesAllow(uint32_t tenant, const SubmitJobs& event,
                                   Refusal& refusal) const {
  // Many jobs wait for the same: what was looked at last need not be looked at again.
  JobRange last{0, 0};
  for (size_t i = 0; i < event.jobs.size(); ++i) {
    for (const NewJob::Dependency& each : event.jobs[i].depends_on) {
      if (!each.in_submit) {
        if (each.jobs == last) continue;
        if (!MayWaitFor(tenant, each.jobs, event.upstream, refusal)) return false;
        last = each.jobs;
      } else if (each.jobs.count == 0 || each.jobs.first + each.jobs.count > i) {
        refusal = {.code = absl::StatusCode::kInvalidArgument,
                   .reason = "INVALID_DEPENDENCY",
                   .message = absl::StrCat("jobs[", i, "].depends_on: #", each.jobs.first,
                                           " is no earlier job of this batch"),
                   .metadata = {{"job", absl::StrCat(i)}}};
        return false;
      }
    }
  }
  return true;
}

bool Core::Impl::TakeLinks(const NewJob& job, JobId first, uint32_t index) {
  if (job.depends_on.empty() && !job.reuse && job.wiring.empty()) return false;
  rows_[index].state = JobState::kBlocked;
  rows_[index].reason = Reason::kDependencies;
  JobLinks& links = Links(index);
  for (const NewJob::Dependency& each : job.depends_on) {
    links.depends_on.push_back(
        {each.in_submit ? first + each.jobs.first : each.jobs.first, each.jobs.count});
  }
  links.wiring = job.wiring;
  links.reuse = job.reuse;
  links.unresolved = job.reuse || !job.wiring.empty();
  return true;
}

void Core::Impl::TellUpstream(const SubmitJobs& event, JobId first) {
  // Whose rows say who depends on them is who may still fail: then a retry finds those it concerns.
  std::map<JobRange, std::vector<JobRange>> dependents;
  for (size_t i = 0; i < event.jobs.size(); ++i) {
    for (const NewJob::Dependency& each : event.jobs[i].depends_on) {
      const JobId from = each.in_submit ? first + each.jobs.first : each.jobs.first;
      AppendTo(dependents[{from, each.jobs.count}], first + i);
    }
  }
  for (const auto& [range, ranges] : dependents) {
    for (JobId id = range.first; id < range.first + range.count; ++id) {
      if (!LivesStill(id)) continue;
      const uint32_t upstream = Find(id);
      std::vector<JobRange>& told = Links(upstream).dependents;
      told.insert(told.end(), ranges.begin(), ranges.end());
      MarkStored(upstream);
    }
  }
}

void Core::Impl::Block(uint32_t job) {
  JobCold& cold = Cold(job);
  // Never the same twice: a row may have ended and come back since.
  cold.generation = ++waits_begun_;
  cold.open_groups = 0;
  const auto is_live = [this](JobId id) { return LivesStill(id); };
  // Many jobs wait for the same: a range that was found to be over is over for the next one too.
  for (const JobRange& range : cold.links->depends_on) {
    if (range == range_over_) continue;
    if (dependencies_.Wait({rows_[job].id, cold.generation}, range, is_live)) {
      ++cold.open_groups;
    } else {
      range_over_ = range;
    }
  }
  if (cold.open_groups == 0) Unblock(job);
}

void Core::Impl::Unblock(uint32_t job) {
  if (rows_[job].cold->links->unresolved) {
    effects_->ready.push_back(rows_[job].id);
    return;
  }
  SetState(job, JobState::kQueued, Reason::kNone);
  MarkStored(job);
  Enqueue(job);
}

void Core::Impl::TellDependents(uint32_t job) {
  // A job that fails ends those that wait for it, and so on: in a loop, since chains may be long.
  ended_awaited_.push_back(rows_[job].id);
  if (ended_awaited_.size() > 1) return;
  for (size_t i = 0; i < ended_awaited_.size(); ++i) {
    const uint32_t upstream = Find(ended_awaited_[i]);
    const bool succeeded = rows_[upstream].state == JobState::kSucceeded;
    for (const auto& waiter : dependencies_.Ended(ended_awaited_[i], succeeded)) {
      const uint32_t waiting = Find(waiter.job);
      if (waiting == kNone || rows_[waiting].state != JobState::kBlocked) continue;
      if (rows_[waiting].cold->generation != waiter.generation) continue;
      succeeded ? GroupOver(waiting) : EndWithUpstream(waiting, upstream);
    }
  }
  ended_awaited_.clear();
}

void Core::Impl::GroupOver(uint32_t job) {
  JobCold& cold = *rows_[job].cold;
  const bool last = --cold.open_groups == 0;
  if (last) return Unblock(job);
  if (!config_.bugs.unblocks_too_early) return;
  cold.generation = ++waits_begun_;
  Unblock(job);
}

void Core::Impl::EndWithUpstream(uint32_t job, uint32_t upstream) {
  const std::string message =
      absl::StrCat("job ", FormatJobId(rows_[upstream].id), ", which it depends on, ended ",
                   StateName(rows_[upstream].state), "; retry that one, and this one waits for it");
  EndJob(job, JobState::kCancelled, Reason::kUpstreamFailed, message, 0);
}

bool Core::Impl::WaitsForRetry(const JobImage& image) {
  return image.state == JobState::kCancelled && image.reason == Reason::kUpstreamFailed;
}

bool Core::Impl::WaitsForRetry(uint32_t job) const {
  const LiveJob& row = rows_[job];
  return row.state == JobState::kCancelled && row.reason == Reason::kUpstreamFailed;
}

void Core::Impl::BlockRestored() {
  std::vector<uint32_t> restored = std::move(restored_blocked_);
  restored_blocked_.clear();
  range_over_ = {};
  // An upstream that failed has ended them in its own commit: one that is not here has succeeded.
  for (const uint32_t job : restored) Block(job);
}

void Core::Impl::Revive(const JobImage& image, const std::map<JobId, JobState>& upstream) {
  const uint32_t known = Find(image.id);
  const bool waited = known == kNone ? WaitsForRetry(image) : WaitsForRetry(known);
  if (!waited || deleted_ids_.contains(image.id)) return;
  if (known != kNone && rows_[known].deleted) return;
  Refusal refusal;
  const JobLinks& links = known == kNone ? image.links : *rows_[known].cold->links;
  const uint32_t tenant = accounts_.TenantNumber(image.tenant);
  for (const JobRange& range : links.depends_on) {
    if (range != range_fine_ && !MayWaitFor(tenant, range, upstream, refusal)) return;
    range_fine_ = range;
  }
  Revive(known == kNone ? LoadImage(image) : known);
}

void Core::Impl::On(const ReviveDependents& event) {
  range_over_ = range_fine_ = {};
  for (const auto& image : event.images) Revive(*image, event.upstream);
}

void Core::Impl::On(const InputsResolved& event) {
  const uint32_t job = Find(event.job);
  if (job == kNone || rows_[job].state != JobState::kBlocked) return;
  JobLinks& links = Links(job);
  if (!links.unresolved) return;
  if (event.error_code != 0) {
    return EndJob(job, JobState::kFailed, Reason::kWorkFailed, event.error_message,
                  event.error_code);
  }
  links.unresolved = false;
  links.wiring.clear();
  links.inputs = event.inputs;
  links.reuse_key = event.reuse_key;
  rows_[job].model = models_.Intern(event.model_key);
  if (event.reused_from == 0) return Unblock(job);
  links.reused_from = event.reused_from;
  JobCold& cold = Cold(job);
  cold.result = event.result;
  cold.outputs = event.outputs;
  EndJob(job, JobState::kSucceeded, Reason::kNone,
         absl::StrCat("took the result of job ", FormatJobId(event.reused_from)), 0);
}

}  // namespace switchyard::scheduler
