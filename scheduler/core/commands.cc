// What clients ask of the core.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/limits.h"
#include "scheduler/policy/patience.h"
#include "scheduler/policy/placement.h"
#include "scheduler/policy/quota.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMicrosecondsPerMillisecond = 1000;
// When a full queue may be asked again.
constexpr int64_t kRetryDelayUs = 1'000'000;

Refusal NoSuchJob(JobId job) {
  return {.code = absl::StatusCode::kNotFound,
          .reason = "JOB_NOT_FOUND",
          .message = absl::StrCat("there is no job ", FormatJobId(job),
                                  "; list jobs to see those that exist"),
          .metadata = {{"job", FormatJobId(job)}}};
}

Refusal WrongState(JobId job, absl::string_view what) {
  return {.code = absl::StatusCode::kFailedPrecondition,
          .reason = "JOB_STATE",
          .message = absl::StrCat("job ", FormatJobId(job), " ", what),
          .metadata = {{"job", FormatJobId(job)}}};
}

bool MayRetry(JobState state) {
  return state == JobState::kFailed || state == JobState::kCancelled || state == JobState::kExpired;
}

}  // namespace

Reply& Core::Impl::Answer(uint64_t tag, JobId job) {
  Reply& reply = effects_->replies.emplace_back();
  reply.tag = tag;
  reply.job = job;
  return reply;
}

void Core::Impl::Refuse(uint64_t tag, JobId job, Refusal refusal) {
  Answer(tag, job).refusal = std::move(refusal);
}

bool Core::Impl::Exists(uint32_t job, JobId id, const JobImage* ended) const {
  if (job != kNone) return !rows_[job].deleted;
  return ended != nullptr && !deleted_ids_.contains(id);
}

bool Core::Impl::RoomFor(uint32_t number, uint64_t jobs, Refusal& refusal) const {
  const Tenant& tenant = accounts_.tenant(number);
  const uint64_t own_most = tenant.settings.max_queued;
  const uint64_t own_capacity = own_most != 0 ? own_most : config_.tenant_queue_capacity;
  const uint64_t all = queued_ + blocked_jobs_;
  const bool all_full = all + jobs > config_.queue_capacity;
  const bool own_full = tenant.queued + jobs > own_capacity;
  if (!all_full && !own_full) return true;
  const uint64_t capacity = all_full ? config_.queue_capacity : own_capacity;
  const uint64_t queued = all_full ? all : tenant.queued;
  refusal = {.code = absl::StatusCode::kResourceExhausted,
             .reason = all_full ? "QUEUE_FULL" : "TENANT_QUEUE_FULL",
             .message = absl::StrCat(
                 all_full ? absl::string_view("the queue has ")
                          : absl::StrCat("tenant `", tenant.settings.name, "` has "),
                 queued, " jobs waiting of at most ", capacity, ", so there is no room for ", jobs,
                 " more; try again when some have run"),
             .metadata = {{"capacity", absl::StrCat(capacity)},
                          {"queued", absl::StrCat(queued)},
                          {"jobs", absl::StrCat(jobs)}},
             .retry_delay_us = kRetryDelayUs};
  return false;
}

bool Core::Impl::DeviceExists(const std::string& request, Refusal& refusal) const {
  if (!NamesDevice(request)) return true;
  std::vector<std::string> existing;
  for (const auto& [name, worker] : worker_names_) {
    for (const WorkerDevice& device : workers_[worker].devices) {
      if (DeviceMatches(request, device.device)) return true;
      existing.push_back(absl::StrCat(device.device, " (", name, ")"));
    }
  }
  if (existing.empty()) return true;  // Nobody attached yet: it may come.
  const std::string list = absl::StrJoin(existing, ", ");
  refusal = {.code = absl::StatusCode::kFailedPrecondition,
             .reason = "NO_SUCH_DEVICE",
             .message = absl::StrCat("there is no device `", request, "`; there are: ", list),
             .metadata = {{"device", request}, {"devices", list}}};
  return false;
}

bool Core::Impl::CapsAllow(uint32_t tenant, const NewJob& job, Refusal& refusal) {
  if (job.device_count <= 1) return true;
  const TenantSettings& of_tenant = accounts_.tenant(tenant).settings;
  const KeySettings& of_key = accounts_.key(accounts_.KeyNumber(tenant, job.key)).settings;
  const bool too_many = OverLimit(0, job.device_count, of_tenant.max_running);
  if (!too_many && !OverLimit(0, job.device_count, of_key.max_running)) return true;
  const std::string asked = absl::StrCat(job.device_count);
  const std::string most = absl::StrCat(too_many ? of_tenant.max_running : of_key.max_running);
  const std::string whose = too_many ? absl::StrCat("tenant `", of_tenant.name, "`")
                                     : absl::StrCat("the key `", of_key.id, "`");
  refusal = {
      .code = absl::StatusCode::kFailedPrecondition,
      .reason = "GANG_TOO_LARGE",
      .message = absl::StrCat("device_count is ", asked, ", but ", whose, " may use at most ", most,
                              " devices at once (max_running), so it would never "
                              "start; ask for fewer or have the cap raised"),
      .metadata = {{"device_count", asked}, {"max_running", most}}};
  return false;
}

void Core::Impl::On(const SubmitJobs& event) {
  Refusal refusal;
  const uint32_t tenant = accounts_.TenantNumber(event.tenant);
  if (!RoomFor(tenant, event.jobs.size(), refusal)) {
    return Refuse(event.tag, 0, std::move(refusal));
  }
  for (const NewJob& job : event.jobs) {
    if (!DeviceExists(job.device, refusal) || !GangPossible(job, refusal) ||
        !CapsAllow(tenant, job, refusal) || !MemoryExists(job, refusal))
      return Refuse(event.tag, 0, std::move(refusal));
  }
  if (!DependenciesAllow(tenant, event, refusal)) return Refuse(event.tag, 0, std::move(refusal));
  if (event.validate_only || event.jobs.empty()) {
    Answer(event.tag, 0);
    return;
  }
  JobId first = 0;
  bool linked = false;
  for (const NewJob& job : event.jobs) {
    const JobId id = NextJobId(config_.last_job_id, now_.wall_us / kMicrosecondsPerMillisecond);
    config_.last_job_id = id;
    if (first == 0) first = id;
    ArrayMembership array = job.array;
    if (array.id == 0 && array.width != 0) array.id = first;
    const uint32_t key = accounts_.KeyNumber(tenant, job.key);
    AddNew(job, accounts_.AccountNumber(tenant, key, array), id, first);
    linked |= !job.depends_on.empty();
  }
  if (linked) TellUpstream(event, first);
  Answer(event.tag, first);
}

uint32_t Core::Impl::AddNew(const NewJob& job, uint32_t account, JobId id, JobId first) {
  const uint32_t index = AddRow(id, account);
  LiveJob& row = rows_[index];
  row.create_us = now_.wall_us;
  row.model = models_.Intern(job.model_key);
  row.device = static_cast<uint16_t>(devices_.Intern(job.device));
  row.kind = KindIndex(job.kind);
  row.workload = learned_.Workload(row.kind, row.model, work_shapes_.Intern(job.shape));
  row.priority = job.priority;
  row.device_count = std::max<uint16_t>(job.device_count, 1);
  row.preemptible = job.preemptible.value_or(kinds_[row.kind].config.checkpoints);
  row.state = JobState::kQueued;
  row.inserted = true;
  const bool blocked = TakeLinks(job, first, index);
  Count(row, 1);
  const int64_t default_timeout_us = kinds_[row.kind].config.default_timeout_us;
  const bool own_timeout = job.timeout_us != 0 && job.timeout_us != default_timeout_us;
  if (job.not_before_us != 0 || job.expire_us != 0 || own_timeout || job.memory_bytes != 0 ||
      job.no_progress_us != 0) {
    JobCold& cold = Cold(index);
    cold.not_before_us = job.not_before_us;
    cold.expire_us = job.expire_us;
    cold.timeout_us = own_timeout ? job.timeout_us : 0;
    cold.memory_bytes = job.memory_bytes;
    cold.no_progress_us = job.no_progress_us;
    ArmExpiry(index);
  }
  row.patience = PatienceStep(TimeoutOf(row));
  if (job.max_attempts != 0) Cold(index).max_attempts = job.max_attempts;
  blocked ? Block(index) : Enqueue(index);
  MarkStored(index);
  return index;
}

void Core::Impl::On(const CancelJob& event) {
  uint32_t job = Find(event.job);
  if (!Exists(job, event.job, event.ended.get())) {
    return Refuse(event.tag, event.job, NoSuchJob(event.job));
  }
  Answer(event.tag, event.job);
  if (job == kNone && WaitsForRetry(*event.ended)) job = LoadImage(*event.ended);
  if (job == kNone) return;
  if (config_.bugs.lost_cancel && rows_[job].attempt != kNone) return;
  if (WaitsForRetry(job)) return EndAsRequested(job);
  RequestEnd(job, event.checkpoint_first ? Ending::kStop : Ending::kCancel);
}

void Core::Impl::On(const RetryJob& event) {
  uint32_t job = Find(event.job);
  if (!Exists(job, event.job, event.ended.get())) {
    return Refuse(event.tag, event.job, NoSuchJob(event.job));
  }
  const JobState state = job == kNone ? event.ended->state : rows_[job].state;
  if (!MayRetry(state)) {
    return Refuse(
        event.tag, event.job,
        WrongState(event.job, "did not fail, expire or get cancelled: there is nothing to retry"));
  }
  Refusal refusal;
  const uint32_t tenant = job == kNone ? accounts_.TenantNumber(event.ended->tenant)
                                       : accounts_[rows_[job].account].tenant;
  if (!RoomFor(tenant, 1, refusal)) return Refuse(event.tag, event.job, std::move(refusal));
  // One that has run waits for nothing more: what it depends on has succeeded for good.
  const JobLinks* links = LinksOf(job, event.ended.get());
  for (size_t i = 0; links != nullptr && i < links->depends_on.size(); ++i) {
    if (MayWaitFor(tenant, links->depends_on[i], event.upstream, refusal)) continue;
    return Refuse(event.tag, event.job, std::move(refusal));
  }
  if (job == kNone) job = LoadImage(*event.ended);
  Revive(job);
  Answer(event.tag, event.job);
}

// Of a job that has never run; null: it depends on nothing.
const JobLinks* Core::Impl::LinksOf(uint32_t job, const JobImage* ended) const {
  if (job == kNone) return ended->attempt_count == 0 ? &ended->links : nullptr;
  const JobCold* cold = rows_[job].cold.get();
  return cold != nullptr && cold->attempt_count == 0 ? cold->links.get() : nullptr;
}

void Core::Impl::Revive(uint32_t job) {
  const JobLinks* links = LinksOf(job, nullptr);
  const bool blocked = links != nullptr && (!links->depends_on.empty() || links->unresolved);
  ReviveAs(job, blocked ? JobState::kBlocked : JobState::kQueued);
  blocked ? Block(job) : Enqueue(job);
}

void Core::Impl::ReviveAs(uint32_t job, JobState state) {
  LiveJob& row = rows_[job];
  JobCold& cold = Cold(job);
  row.ending = Ending::kNone;
  row.deleted = false;
  cold.lost = cold.lost_unstarted = cold.failed = cold.out_of_memory = 0;
  cold.message.clear();
  cold.error.clear();
  cold.error_code = 0;
  cold.result.clear();
  cold.end_us = 0;
  cold.retry_us = 0;
  // The old deadline has done its work; with it the retry would end before it began.
  if (cold.expire_us <= now_.wall_us) cold.expire_us = 0;
  SetState(job, state, state == JobState::kBlocked ? Reason::kDependencies : Reason::kNone);
  MarkStored(job);
  ArmExpiry(job);
}

void Core::Impl::On(const UpdateJob& event) {
  const uint32_t job = Find(event.job);
  if (!Exists(job, event.job, event.ended.get())) {
    return Refuse(event.tag, event.job, NoSuchJob(event.job));
  }
  if (job == kNone || HasEnded(rows_[job].state)) {
    return Refuse(event.tag, event.job,
                  WrongState(event.job, "has ended: nothing of it can be changed"));
  }
  if (event.labels.has_value()) {
    JobCold& cold = Cold(job);
    cold.labels = *event.labels;
    cold.labels_changed = true;
  }
  if (event.priority.has_value()) SetPriority(job, *event.priority);
  MarkStored(job);
  Answer(event.tag, event.job);
}

void Core::Impl::SetPriority(uint32_t job, uint8_t priority) {
  LiveJob& row = rows_[job];
  const bool waits = row.waits != Waits::kNot;
  if (waits) queue_.Remove(job, now_.wall_us);
  Count(row, -1);
  row.priority = priority;
  Count(row, 1);
  VictimReprioritised(job);
  if (waits) queue_.Push(job, now_.wall_us);
}

void Core::Impl::On(const DeleteJob& event) {
  const uint32_t job = Find(event.job);
  if (!Exists(job, event.job, event.ended.get())) {
    return Refuse(event.tag, event.job, NoSuchJob(event.job));
  }
  if (job != kNone && !HasEnded(rows_[job].state)) {
    return Refuse(event.tag, event.job, WrongState(event.job, "has not ended: cancel it first"));
  }
  if (job == kNone) {
    deleted_.emplace_back(event.job, event.ended->tenant);
    deleted_ids_.insert(event.job);
  } else {
    rows_[job].deleted = true;
    MarkStored(job);
  }
  Answer(event.tag, event.job);
}

void Core::Impl::On(const UpdateLimits& event) {
  config_.limits = MergeLimits(std::move(config_.limits), event.set, event.clear);
  effects_->limits_changed = true;
  effects_->fleet_changed = true;
  for (const auto& [name, number] : worker_names_) {
    WorkerRow& worker = workers_[number];
    for (const uint32_t pool : worker.pools) {
      pools_[pool].limit =
          LimitOf(worker, devices_.Text(pools_[pool].device), pools_[pool].job_class);
      pools_.Refresh(pool);
    }
    if (worker.session != 0) effects_->limits.push_back({worker.session, LimitsOf(worker)});
  }
  Answer(event.tag, 0);
}

}  // namespace switchyard::scheduler
