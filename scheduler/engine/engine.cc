#include "scheduler/engine/engine.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "common/log/log.h"
#include "scheduler/engine/core_builder.h"
#include "scheduler/engine/pending_drain.h"
#include "scheduler/engine/policy_document.h"
#include "scheduler/engine/refusal.h"

namespace switchyard::scheduler {
namespace {

// Request rows looked at in one clean-up step, and the time between steps while there is something
// to remove.
constexpr int kCleanUpRows = 1000;
constexpr absl::Duration kCleanUpBusy = absl::Milliseconds(200);
constexpr absl::Duration kCleanUpIdle = absl::Seconds(10);

// A snapshot may cost this share of the engine's time: 1 in 20. One that costs less than
// kCheapSnapshot is made at once when the fleet changes; one of ten thousand workers waits its
// turn.
constexpr int kSnapshotCostFactor = 20;
constexpr absl::Duration kCheapSnapshot = absl::Microseconds(500);

// How often what policies learned is stored, at most.
constexpr absl::Duration kPolicySaveInterval = absl::Seconds(10);

// How many events are taken between looks at the clock.
constexpr int kEventsPerLook = 64;

// How many jobs' inputs are resolved in one drain: each takes two reads or three.
constexpr int kResolvedPerDrain = 64;

Now ReadClocks(Clock& clock) {
  return {absl::ToUnixMicros(clock.Now()), absl::ToInt64Microseconds(clock.BootTime())};
}

// Jobs asked about that cost about as much as one event.
constexpr size_t kQuestionsPerEvent = 8;

size_t Weight(const Input& input) {
  if (!input.waits_for.empty()) return 1 + input.waits_for.size() / kQuestionsPerEvent;
  if (input.many.has_value()) return std::max<size_t>(1, input.many->jobs.size());
  const auto* submit = std::get_if<SubmitJobs>(&input.event);
  return submit == nullptr ? 1 : std::max<size_t>(1, submit->jobs.size());
}

}  // namespace

class Engine::Impl {
 public:
  Impl(EngineOptions options, JobStore& store, Clock& clock, EngineOutput& output)
      : options_(std::move(options)),
        store_(store),
        clock_(clock),
        output_(output),
        specs_(options_.spec_cache_bytes),
        models_(store) {}

  absl::Status Build();
  void RunDrain(std::deque<Input>& inbox);
  absl::Duration TimeToWakeup();

  LiveView live_view_;
  EngineStats stats_;
  std::unique_ptr<Core> core_;

 private:
  bool EnsureCore(std::deque<Input>& inbox);
  bool StillLeads() const;
  void DropCore();
  void Refuse(std::deque<Input>& inbox, const absl::Status& status);
  size_t Window(const std::deque<Input>& inbox) const;
  void TakeInputs(PendingDrain& drain, std::deque<Input>& inbox, size_t window);
  void NoteSession(const Event& event);
  void ResolveInputs(PendingDrain& drain);
  absl::Status Commit(const WriteBatch& batch);
  void Perform(PendingDrain& drain);
  void Fail(PendingDrain& drain, const absl::Status& status);
  void CloseSessions(uint64_t epoch);
  void PublishFleet(bool changed);
  void PublishAccounts();
  void SavePolicyState(PendingDrain& drain);
  void CleanUp();

  const EngineOptions options_;
  JobStore& store_;
  Clock& clock_;
  EngineOutput& output_;
  SpecCache specs_;
  ModelLinks models_;
  uint64_t epoch_ = 0;
  uint64_t term_ = 0;                // In which the present core was built.
  std::set<uint64_t> sessions_;      // Attached to the present core; closed when it goes.
  uint64_t newest_session_ = 0;      // That ever said hello.
  std::deque<Input> own_inputs_;     // The engine's own reports, for the next drain.
  std::deque<JobId> ready_;          // Whose inputs the core has asked for.
  absl::Duration next_resolve_;      // BootTime before which none is resolved: the store was busy.
  absl::Duration next_build_;        // BootTime before which no core is built.
  absl::Duration next_clean_up_;     // BootTime.
  absl::Duration next_policy_save_;  // BootTime.
  absl::Duration next_snapshot_;     // BootTime.
  absl::Duration snapshot_cost_;     // Of the last one.
  bool snapshot_due_ = false;        // Something happened since the last one.
  uint64_t applied_since_clean_up_ = 0;
};

absl::Status Engine::Impl::Build() {
  const absl::Duration begin = clock_.BootTime();
  next_build_ = begin + options_.rebuild_backoff;
  term_ = LeadingTerm(*options_.leadership, clock_);
  CoreConfig config = options_.core;
  config.first_session = newest_session_ + 1;
  absl::StatusOr<std::unique_ptr<Core>> core =
      BuildCore(std::move(config), store_, ReadClocks(clock_));
  if (!core.ok()) {
    if (options_.log) {
      LogError("cannot build the scheduling core from the store; trying again",
               {{"error", core.status().ToString()}});
    }
    return core.status();
  }
  core_ = *std::move(core);
  epoch_ = core_->epoch();
  specs_.Clear();
  live_view_.Clear();
  stats_.rebuilds.fetch_add(1, std::memory_order_relaxed);
  if (options_.log) {
    LogInfo("scheduling core built",
            {{"epoch", epoch_},
             {"queued", core_->Queue().queued},
             {"ms", absl::ToInt64Milliseconds(clock_.BootTime() - begin)}});
  }
  PublishFleet(/*changed=*/true);
  output_.Rebuilt(epoch_);
  return absl::OkStatus();
}

bool Engine::Impl::EnsureCore(std::deque<Input>& inbox) {
  if (core_ != nullptr && StillLeads()) return true;
  if (core_ != nullptr) {
    if (options_.log) LogWarning("this scheduler does not lead any more", {{"epoch", epoch_}});
    DropCore();
    CloseSessions(epoch_);
  }
  const bool leads = LeadingTerm(*options_.leadership, clock_) != 0;
  if (leads && clock_.BootTime() >= next_build_ && Build().ok()) return true;
  Refuse(inbox, leads ? CommitUnknown(absl::UnavailableError("the store is not available"))
                      : NotLeader(*options_.leadership));
  return false;
}

bool Engine::Impl::StillLeads() const {
  if (options_.acts_after_its_lease) return true;
  return LeadingTerm(*options_.leadership, clock_) == term_;
}

// Without a core nothing can be taken: callers repeat, workers attach again.
void Engine::Impl::Refuse(std::deque<Input>& inbox, const absl::Status& status) {
  for (Input& input : inbox) {
    if (input.done) input.done(CommandResult{.status = status});
    NoteSession(input.event);
  }
  inbox.clear();
  CloseSessions(epoch_);
}

void Engine::Impl::RunDrain(std::deque<Input>& inbox) {
  if (!EnsureCore(inbox)) return;
  stats_.drains.fetch_add(1, std::memory_order_relaxed);
  PendingDrain drain(*core_, store_, specs_, models_, ReadClocks(clock_));
  while (!own_inputs_.empty()) {
    drain.Take(std::move(own_inputs_.front()));
    own_inputs_.pop_front();
  }
  ResolveInputs(drain);
  const size_t window = Window(inbox);
  drain.LookUp(inbox, window);
  TakeInputs(drain, inbox, window);
  absl::Status status = drain.Settle();
  if (status.ok()) {
    if (options_.reply_before_commit) drain.Reply();
    SavePolicyState(drain);
    status = Commit(drain.batch());
  }
  if (status.ok() && !StillLeads()) status = NotLeader(*options_.leadership);
  if (!status.ok()) {
    Fail(drain, status);
    return;
  }
  Perform(drain);
  CleanUp();
}

void Engine::Impl::ResolveInputs(PendingDrain& drain) {
  if (clock_.BootTime() < next_resolve_) return;
  for (int i = 0; i < kResolvedPerDrain && !ready_.empty(); ++i) {
    InputsResolved resolved{.job = ready_.front()};
    if (options_.resolver != nullptr) {
      absl::StatusOr<InputsResolved> answer = options_.resolver->Resolve(ready_.front());
      if (!answer.ok()) {
        if (options_.log) {
          LogWarning("cannot read what a job depends on; trying again",
                     {{"job", FormatJobId(ready_.front())}, {"error", answer.status().ToString()}});
        }
        next_resolve_ = clock_.BootTime() + options_.rebuild_backoff;
        return;
      }
      resolved = *std::move(answer);
    }
    Input input;
    input.event = std::move(resolved);
    drain.Take(std::move(input));
    ready_.pop_front();
  }
}

size_t Engine::Impl::Window(const std::deque<Input>& inbox) const {
  size_t weight = 0;
  size_t count = 0;
  while (count < inbox.size() && weight < static_cast<size_t>(options_.max_drain_events)) {
    weight += Weight(inbox[count++]);
  }
  return count;
}

void Engine::Impl::TakeInputs(PendingDrain& drain, std::deque<Input>& inbox, size_t window) {
  const absl::Duration end = clock_.BootTime() + options_.max_drain_time;
  size_t taken = 0;
  while (taken < window) {
    NoteSession(inbox.front().event);
    drain.Take(std::move(inbox.front()));
    inbox.pop_front();
    if (++taken % kEventsPerLook == 0 && clock_.BootTime() >= end) break;
  }
  applied_since_clean_up_ += taken;
  stats_.events.fetch_add(taken, std::memory_order_relaxed);
}

void Engine::Impl::NoteSession(const Event& event) {
  if (const auto* attached = std::get_if<WorkerAttached>(&event)) {
    sessions_.insert(attached->session);
    newest_session_ = std::max(newest_session_, attached->session);
  } else if (const auto* detached = std::get_if<WorkerDetached>(&event)) {
    sessions_.erase(detached->session);
  }
}

absl::Status Engine::Impl::Commit(const WriteBatch& batch) {
  if (batch.empty()) return absl::OkStatus();
  const absl::Duration begin = clock_.BootTime();
  const absl::Status status = store_.Commit(epoch_, batch);
  if (!status.ok()) return status;
  stats_.commits.fetch_add(1, std::memory_order_relaxed);
  stats_.rows.fetch_add(batch.rows(), std::memory_order_relaxed);
  stats_.commit_us.fetch_add(absl::ToInt64Microseconds(clock_.BootTime() - begin),
                             std::memory_order_relaxed);
  return status;
}

void Engine::Impl::Perform(PendingDrain& drain) {
  std::vector<WorkerReports> given_up;
  if (drain.settings_changed()) PublishAccounts();
  drain.Perform(output_, live_view_, given_up);
  for (WorkerReports& reports : given_up) {
    own_inputs_.emplace_back().event = std::move(reports);
  }
  ready_.insert(ready_.end(), drain.ready().begin(), drain.ready().end());
  for (const uint64_t session : drain.closed_sessions()) sessions_.erase(session);
  stats_.specs_read.fetch_add(drain.specs_read(), std::memory_order_relaxed);
  PublishFleet(drain.fleet_changed());
}

void Engine::Impl::Fail(PendingDrain& drain, const absl::Status& status) {
  if (options_.log) {
    LogError("a drain was not committed; building the scheduling core again",
             {{"epoch", epoch_}, {"error", status.ToString()}});
  }
  stats_.failed_commits.fetch_add(1, std::memory_order_relaxed);
  // Gone before anybody is answered: what it holds may not be what is stored.
  DropCore();
  next_build_ = clock_.BootTime();
  drain.Fail(CommitUnknown(status));
  CloseSessions(epoch_);
}

void Engine::Impl::DropCore() {
  core_.reset();
  specs_.Clear();
  own_inputs_.clear();
  ready_.clear();  // The next core asks again.
}

void Engine::Impl::CloseSessions(uint64_t epoch) {
  for (const uint64_t session : sessions_) {
    SessionOutput output;
    output.session = session;
    output.close = true;
    output_.Send(epoch, std::move(output));
  }
  sessions_.clear();
}

void Engine::Impl::PublishFleet(bool changed) {
  const absl::Duration begin = clock_.BootTime();
  snapshot_due_ = true;
  const bool at_once = changed && snapshot_cost_ < kCheapSnapshot;
  if (!at_once && begin < next_snapshot_) return;
  auto fleet = std::make_shared<FleetSnapshot>();
  fleet->epoch = epoch_;
  fleet->queue_capacity = options_.core.queue_capacity;
  fleet->workers = core_->Fleet();
  fleet->queue = core_->Queue();
  fleet->limits = core_->limits();
  live_view_.SetFleet(std::move(fleet));
  PublishAccounts();
  const absl::Duration end = clock_.BootTime();
  snapshot_cost_ = end - begin;
  next_snapshot_ = end + std::max(options_.snapshot_interval, snapshot_cost_ * kSnapshotCostFactor);
  snapshot_due_ = false;
}

// With whatever else is committed: alone it is not worth a commit.
void Engine::Impl::SavePolicyState(PendingDrain& drain) {
  const absl::Duration now = clock_.BootTime();
  if (now < next_policy_save_ || drain.batch().empty()) return;
  next_policy_save_ = now + kPolicySaveInterval;
  drain.Add({PolicyStateKey(), EncodePolicyState(core_->SavePolicyState())});
}

void Engine::Impl::PublishAccounts() {
  live_view_.SetAccounts(std::make_shared<const AccountsView>(core_->ViewAccounts()));
}

void Engine::Impl::CleanUp() {
  const absl::Duration now = clock_.BootTime();
  if (now < next_clean_up_ || applied_since_clean_up_ == 0) return;
  applied_since_clean_up_ = 0;
  const absl::StatusOr<int> removed =
      store_.RemoveExpiredRequests(absl::ToUnixMillis(clock_.Now()), kCleanUpRows);
  // A failure leaves old rows for the next time.
  const bool busy = removed.ok() && *removed > 0;
  next_clean_up_ = now + (busy ? kCleanUpBusy : kCleanUpIdle);
}

absl::Duration Engine::Impl::TimeToWakeup() {
  const Now now = ReadClocks(clock_);
  const absl::Duration boot = absl::Microseconds(now.boot_us);
  const Lead lead = options_.leadership->Present();
  // Who gains the lead wakes the engine.
  if (core_ == nullptr && !lead.leads) return absl::InfiniteDuration();
  if (core_ == nullptr) return std::max(absl::ZeroDuration(), next_build_ - boot);
  if (!own_inputs_.empty()) return absl::ZeroDuration();
  const Wakeup wakeup = core_->NextWakeup();
  absl::Duration wait = lead.leads ? lead.until - boot : absl::ZeroDuration();
  if (!ready_.empty()) wait = next_resolve_ - boot;
  if (wakeup.wall_us != kNever) {
    wait = std::min(wait, absl::Microseconds(wakeup.wall_us - now.wall_us));
  }
  if (wakeup.boot_us != kNever) {
    wait = std::min(wait, absl::Microseconds(wakeup.boot_us - now.boot_us));
  }
  if (snapshot_due_) wait = std::min(wait, next_snapshot_ - boot);
  return std::max(absl::ZeroDuration(), wait);
}

Engine::Engine(EngineOptions options, JobStore& store, Clock& clock, EngineOutput& output)
    : impl_(std::make_unique<Impl>(std::move(options), store, clock, output)) {}

Engine::~Engine() = default;

absl::Status Engine::Start() { return impl_->Build(); }

void Engine::Drain(std::deque<Input>& inbox) { impl_->RunDrain(inbox); }

absl::Duration Engine::TimeToWakeup() { return impl_->TimeToWakeup(); }

const LiveView& Engine::live_view() const { return impl_->live_view_; }

const EngineStats& Engine::stats() const { return impl_->stats_; }

const Core* Engine::core() const { return impl_->core_.get(); }

}  // namespace switchyard::scheduler
