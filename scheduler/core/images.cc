// To and from the store, and views for people.
#include <algorithm>
#include <utility>

#include "scheduler/core/core_impl.h"
#include "scheduler/policy/patience.h"

namespace switchyard::scheduler {
namespace {

absl::string_view MessageFor(Reason reason) {
  switch (reason) {
    case Reason::kBackoff:
      return "waits before the next attempt";
    case Reason::kNotBefore:
      return "waits for its not_before time";
    case Reason::kLimit:
      return "every fitting device is at its limit";
    case Reason::kNoDevice:
      return "no worker that fits is attached";
    case Reason::kPaused:
      return "the queue is paused";
    case Reason::kQuota:
      return "its tenant may not use more now";
    case Reason::kKeyLimit:
      return "its key may not use more now";
    case Reason::kArrayWidth:
      return "as many of its array run as its width allows";
    case Reason::kGang:
      return "not all devices it needs are free at the same time yet; it holds none";
    case Reason::kPreempted:
      return "gave its device to more urgent work; goes on when one is free again";
    case Reason::kReserved:
      return "a fitting device is free but kept for a job that needs several; this one would take "
             "too long";
    case Reason::kDependencies:
      return "waits for the jobs it depends on";
    case Reason::kUrgentShare:
      return "urgent work has had its share of the fitting devices and others wait";
    case Reason::kHostBusy:
      return "every fitting worker's host is over its memory or processor ceiling";
    case Reason::kCordoned:
      return "every fitting worker is cordoned";
    case Reason::kAssigned:
      return "handed to a worker, starts there in its turn";
    default:
      return "";
  }
}

bool IsPlain(const JobImage& image) {
  return image.attempts.empty() && image.history.size() <= 1 && image.change_count <= 1 &&
         image.expire_us == 0 && image.not_before_us == 0 && image.timeout_us == 0 &&
         image.retry_us == 0 && !image.labels_changed && image.attempt_count == 0 &&
         image.outputs.empty() && image.checkpoint.empty() && image.memory_bytes == 0 &&
         image.memory_raised_bytes == 0 && image.batch_limit == 0 && image.no_progress_us == 0 &&
         image.max_attempts == 0 && image.links.empty();
}

void FillCold(const JobImage& image, JobCold& cold) {
  cold.message = image.message;
  cold.error = image.error;
  cold.error_code = image.error_code;
  cold.labels = image.labels;
  cold.labels_changed = image.labels_changed;
  cold.start_us = image.start_us;
  cold.end_us = image.end_us;
  cold.not_before_us = image.not_before_us;
  cold.expire_us = image.expire_us;
  cold.timeout_us = image.timeout_us;
  cold.retry_us = image.retry_us;
  cold.lost = image.lost_attempts;
  cold.lost_unstarted = image.lost_unstarted;
  cold.failed = image.failed_attempts;
  cold.preempted = image.preempted_attempts;
  cold.attempt_count = image.attempt_count;
  cold.change_count = image.change_count;
  cold.past = image.attempts;
  cold.history = image.history;
  cold.timings = image.timings;
  cold.outputs = image.outputs;
  cold.checkpoint = image.checkpoint;
  cold.memory_bytes = image.memory_bytes;
  cold.memory_raised_bytes = image.memory_raised_bytes;
  cold.no_progress_us = image.no_progress_us;
  cold.batch_limit = image.batch_limit;
  cold.out_of_memory = image.out_of_memory_attempts;
  cold.result = image.result;
  cold.max_attempts = image.max_attempts;
  if (!image.links.empty()) cold.links = std::make_unique<JobLinks>(image.links);
}

}  // namespace

uint8_t Core::Impl::KindIndex(uint16_t number) const {
  for (size_t i = 0; i < kinds_.size(); ++i) {
    if (kinds_[i].config.number == number) return static_cast<uint8_t>(i);
  }
  return 0;  // The service refuses unknown kinds; a stored one can only come from a newer version.
}

Reason Core::Impl::WaitingReason(const LiveJob& row) const {
  if (row.attempt != kNone) return Reason::kAssigned;
  if (row.waits == Waits::kNot) return row.reason;
  const Reason hold = queue_.Hold(row);
  if (hold != Reason::kNone) return hold;
  const uint32_t group = queue_.FindGroup(GroupKeyOf(row));
  if (group >= shapes_.size()) return Reason::kNoDevice;
  if (row.priority <= kLeastUrgentOfUrgent && UrgentHadItsShare(group)) return Reason::kUrgentShare;
  uint32_t busy = 0;
  uint32_t cordoned = 0;
  for (const uint32_t shape : shapes_[group].shapes) {
    if (pools_.OpenPools(shape) > 0) return ReasonWithDevices(row, group);
    busy += pools_.PoolsClosedBy(shape, ClosedBy::kHost);
    cordoned += pools_.PoolsClosedBy(shape, ClosedBy::kCordon);
  }
  if (busy > 0) return Reason::kHostBusy;
  return cordoned > 0 ? Reason::kCordoned : Reason::kNoDevice;
}

Reason Core::Impl::ReasonWithDevices(const LiveJob& row, uint32_t group) const {
  const bool preempted = row.cold != nullptr && !row.cold->past.empty() &&
                         row.cold->past.back().outcome == Outcome::kPreempted;
  if (preempted) return Reason::kPreempted;
  if (row.device_count > 1) return Reason::kGang;
  if (WaitsForMemory(group, row)) return Reason::kMemory;
  return KeptForGang(group) ? Reason::kReserved : Reason::kLimit;
}

void Core::Impl::SayWhy(const LiveJob& row, Reason reason, std::string& message) const {
  const absl::string_view text = MessageFor(reason);
  message.assign(text.data(), text.size());
  if (reason == Reason::kMemory) message = MemoryMessage(row);
}

bool Core::Impl::WaitsFor(JobId id, WaitingNow& waiting) const {
  const uint32_t job = Find(id);
  if (job == kNone || rows_[job].state != JobState::kQueued) return false;
  waiting.job = id;
  waiting.reason = WaitingReason(rows_[job]);
  SayWhy(rows_[job], waiting.reason, waiting.message);
  return true;
}

void Core::Impl::FillFixed(uint32_t job, const JobCold& cold, JobImage& image) const {
  const LiveJob& row = rows_[job];
  image.id = row.id;
  image.tenant = accounts_.TenantName(row.account);
  image.key = accounts_.KeyId(row.account);
  image.array = {accounts_[row.account].array, accounts_[row.account].width};
  image.kind = kinds_[row.kind].config.number;
  image.priority = row.priority;
  image.state = row.state;
  image.reason = row.state == JobState::kQueued ? WaitingReason(row) : row.reason;
  if (HasEnded(row.state)) {
    image.message = cold.message;
  } else {
    SayWhy(row, image.reason, image.message);
  }
  image.error_code = cold.error_code;
  image.device = devices_.Text(row.device);
  image.model_key = models_.Text(row.model);
  image.labels = cold.labels;
  image.labels_changed = cold.labels_changed;
  image.stop_requested = row.ending == Ending::kStop;
  image.create_us = row.create_us;
  image.start_us = cold.start_us;
  image.end_us = cold.end_us;
  image.not_before_us = cold.not_before_us;
  image.expire_us = cold.expire_us;
  image.timeout_us = cold.timeout_us;
  image.retry_us = cold.retry_us;
  image.lost_attempts = cold.lost;
  image.lost_unstarted = cold.lost_unstarted;
  image.failed_attempts = cold.failed;
  image.preempted_attempts = cold.preempted;
  image.device_count = row.device_count;
  image.preemptible = row.preemptible;
  image.attempt_count = cold.attempt_count;
  image.change_count = std::max<uint32_t>(cold.change_count, 1);
  image.timings = cold.timings;
  image.checkpoint = cold.checkpoint;
  image.memory_bytes = cold.memory_bytes;
  image.memory_raised_bytes = cold.memory_raised_bytes;
  image.no_progress_us = cold.no_progress_us;
  image.batch_limit = cold.batch_limit;
  image.out_of_memory_attempts = cold.out_of_memory;
  image.shape = work_shapes_.Text(learned_.entries()[row.workload].shape);
  image.max_attempts = cold.max_attempts;
}

void Core::Impl::FillImage(uint32_t job, JobImage& image) const {
  const LiveJob& row = rows_[job];
  static const JobCold kNothing;
  const JobCold& cold = row.cold == nullptr ? kNothing : *row.cold;
  FillFixed(job, cold, image);
  image.error = cold.error;
  image.attempts = cold.past;
  image.history = cold.history;
  if (row.cold == nullptr) {
    image.history.push_back({1, JobState::kQueued, Reason::kNone, row.create_us, 0});
  }
  image.outputs = cold.outputs;
  image.result = cold.result;
  image.links = cold.links == nullptr ? JobLinks() : *cold.links;
  FillLive(row, image);
}

void Core::Impl::TakeImage(uint32_t job, JobImage& image) {
  const LiveJob& row = rows_[job];
  JobCold& cold = *row.cold;
  FillFixed(job, cold, image);
  image.error = std::move(cold.error);
  image.attempts = std::move(cold.past);
  image.history = std::move(cold.history);
  image.outputs = std::move(cold.outputs);
  image.result = std::move(cold.result);
  image.links = cold.links == nullptr ? JobLinks() : std::move(*cold.links);
  FillLive(row, image);
}

void Core::Impl::FillLive(const LiveJob& row, JobImage& image) const {
  image.phase = Phase::kUnspecified;
  image.progress = row.state == JobState::kSucceeded ? 1 : 0;
  if (row.attempt == kNone) return;
  const LiveAttempt& attempt = attempts_[row.attempt];
  image.phase = attempt.phase;
  image.progress = attempt.progress;
  if (image.attempts.size() == kAttemptsKept) image.attempts.erase(image.attempts.begin());
  Describe(attempt, image.attempts.emplace_back());
}

void Core::Impl::TakeChanges(absl::FunctionRef<void(const Change&)> visit) {
  for (const uint32_t job : changed_) {
    LiveJob& row = rows_[job];
    Change change{.kind = row.inserted ? Change::kInserted : Change::kUpdated,
                  .store = row.store,
                  .image = &scratch_};
    if (row.deleted) {
      scratch_ = JobImage();
      scratch_.id = row.id;
      scratch_.tenant = accounts_.TenantName(row.account);
      change.kind = Change::kDeleted;
    } else if (HasEnded(row.state)) {
      TakeImage(job, scratch_);
    } else {
      FillImage(job, scratch_);
    }
    visit(change);
    row.listed = row.store = row.inserted = false;
    if (!HasEnded(row.state)) continue;
    RemoveRow(job);
  }
  changed_.clear();
  for (auto& [id, tenant] : deleted_) {
    scratch_ = JobImage();
    scratch_.id = id;
    scratch_.tenant = std::move(tenant);
    visit({.kind = Change::kDeleted, .store = true, .image = &scratch_});
  }
  deleted_.clear();
  deleted_ids_.clear();
}

bool Core::Impl::Image(JobId id, JobImage& image) const {
  const uint32_t job = Find(id);
  if (job == kNone) return false;
  FillImage(job, image);
  return true;
}

uint32_t Core::Impl::LoadImage(const JobImage& image) {
  const uint32_t tenant = accounts_.TenantNumber(image.tenant);
  const uint32_t key = accounts_.KeyNumber(tenant, image.key);
  const uint32_t job = AddRow(image.id, accounts_.AccountNumber(tenant, key, image.array));
  LiveJob& row = rows_[job];
  row.create_us = image.create_us;
  row.model = models_.Intern(image.model_key);
  row.device = static_cast<uint16_t>(devices_.Intern(image.device));
  row.kind = KindIndex(image.kind);
  row.workload = learned_.Workload(row.kind, row.model, work_shapes_.Intern(image.shape));
  row.priority = image.priority;
  row.device_count = image.device_count;
  row.preemptible = image.preemptible.value_or(kinds_[row.kind].config.checkpoints);
  row.state = image.state;
  row.reason = image.reason;
  if (image.state == JobState::kCancelling) {
    row.ending = image.stop_requested ? Ending::kStop : Ending::kCancel;
  }
  if (!IsPlain(image)) {
    row.cold = std::make_unique<JobCold>();
    FillCold(image, *row.cold);
  }
  row.patience = PatienceStep(TimeoutOf(row));
  Count(row, 1);
  config_.last_job_id = std::max(config_.last_job_id, image.id);
  return job;
}

void Core::Impl::Restore(const JobImage& image, const Now& now) {
  Effects none;
  now_ = now;
  effects_ = &none;
  const uint32_t job = LoadImage(image);
  ArmExpiry(job);
  if (!image.attempts.empty() && image.attempts.back().outcome == Outcome::kUnspecified) {
    rows_[job].cold->past.pop_back();
    RestoreAttempt(job, image.attempts.back());
  } else if (rows_[job].ending != Ending::kNone) {
    EndAsRequested(job);
  } else if (image.state == JobState::kBlocked) {
    restored_blocked_.push_back(job);
  } else {
    if (image.state != JobState::kQueued) SetState(job, JobState::kQueued, Reason::kNone);
    Enqueue(job);
  }
  effects_ = nullptr;
}

void Core::Impl::RestoreAttempt(uint32_t job, const AttemptImage& image) {
  LiveJob& row = rows_[job];
  LiveAttempt attempt;
  attempt.job = job;
  attempt.number = image.number;
  attempt.fencing = image.fencing;
  attempt.device = devices_.Intern(image.device);
  attempt.device_name = devices_.Intern(image.device_name);
  attempt.dispatch_us = image.dispatch_us;
  attempt.dispatch_boot_us = now_.boot_us;
  attempt.start_us = image.start_us;
  attempt.start_boot_us = now_.boot_us;
  attempt.progress_boot_us = now_.boot_us;
  attempt.no_progress_us = NoProgressOf(row);
  attempt.started = image.start_us != 0;
  attempt.expected_us = learned_.ExpectedRun(row.kind, row.model);
  attempt.granted_bytes = image.memory_granted_bytes;
  attempt.level = row.priority;
  attempt.rank = AssignmentRank(row.priority, image.fencing.counter);
  attempt.resumed_from = image.resumed_from;
  CountRestored(attempt);
  if (!image.members.empty()) return RestoreGang(std::move(attempt), image);
  const uint32_t index = attempts_.Add();
  attempts_[index] = std::move(attempt);
  row.attempt = index;
  Link(WorkerNamed(image.worker), index);
  if (!attempts_[index].started) return;
  CountStart(attempts_[index]);
  ArmTimeout(index);
  ProtectVictim(index);
}

std::vector<WorkerView> Core::Impl::Fleet() const {
  std::vector<WorkerView> fleet;
  for (const auto& [name, number] : worker_names_) {
    const WorkerRow& worker = workers_[number];
    WorkerView& view = fleet.emplace_back();
    view.id = worker.id;
    view.incarnation = worker.incarnation;
    view.host = worker.host;
    view.version = worker.version;
    view.attached = worker.session != 0;
    view.attach_us = worker.attach_us;
    view.last_seen_us = worker.last_seen_us;
    view.attempts = worker.attempts;
    view.kinds = worker.kind_names;
    view.host_figures = worker.host_figures;
    view.host_busy = worker.host_busy;
    const auto cordon = cordons_.find(worker.id);
    if (cordon != cordons_.end()) {
      view.cordoned = true;
      view.cordon_reason = cordon->second.reason;
      view.drain_deadline_us = cordon->second.drain_deadline_us;
    }
    for (size_t i = 0; i < worker.devices.size(); ++i) {
      DeviceView& device = view.devices.emplace_back();
      device.device = worker.devices[i];
      if (i >= worker.memory.size()) continue;
      const DeviceMemory& memory = worker.memory[i];
      device.memory_promised_bytes = pools_.ledgers()[memory.ledger].promised_bytes();
      device.serving_budget_bytes = memory.promised_bytes;
    }
    for (const uint32_t pool : worker.pools) FillUse(pools_[pool], view);
  }
  return fleet;
}

void Core::Impl::FillUse(const Pool& pool, WorkerView& view) const {
  const ClassUseView use{.job_class = pool.job_class,
                         .running = pool.running,
                         .assigned = pool.outstanding - pool.running,
                         .limit = pool.limit};
  if (pool.job_class == JobClass::kGeneral) {
    view.general = use;
    return;
  }
  for (DeviceView& device : view.devices) {
    if (device.device.device == devices_.Text(pool.device)) device.use.push_back(use);
  }
}

QueueView Core::Impl::Queue() const {
  QueueView view{
      .queued = queued_, .running = running_, .oldest_create_us = queue_.OldestCreateTime()};
  std::copy(std::begin(queued_by_priority_), std::end(queued_by_priority_),
            std::begin(view.queued_by_priority));
  return view;
}

}  // namespace switchyard::scheduler
