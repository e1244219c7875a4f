#include "scheduler/core/core.h"

#include <algorithm>
#include <utility>

#include "scheduler/core/core_impl.h"

namespace switchyard::scheduler {
namespace {

// How finely waiting is looked at: a job is raised at most this share of an interval late.
constexpr int64_t kAgeingLooksPerInterval = 16;

}  // namespace

Core::Core(CoreConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Core::~Core() = default;
void Core::Restore(const JobImage& image, const Now& now) { impl_->Restore(image, now); }
void Core::Apply(const Event& event, const Now& now, Effects& effects) {
  impl_->Apply(event, now, effects);
}
void Core::Advance(const Now& now, Effects& effects) { impl_->Advance(now, effects); }
void Core::TakeChanges(absl::FunctionRef<void(const Change&)> visit) { impl_->TakeChanges(visit); }
void Core::RestorePolicyState(const PolicyState& state, const Now& now) {
  impl_->RestorePolicyState(state, now);
}
PolicyState Core::SavePolicyState() const { return impl_->SavePolicyState(); }
bool Core::IsLive(JobId job) const { return impl_->IsLive(job); }
bool Core::Image(JobId job, JobImage& image) const { return impl_->Image(job, image); }
bool Core::WaitsFor(JobId job, WaitingNow& waiting) const { return impl_->WaitsFor(job, waiting); }
bool Core::Explain(JobId job, const Now& now, Explanation& explanation) {
  return impl_->Explain(job, now, explanation);
}
void Core::ExplainNew(const std::string& tenant, const NewJob& job, const Now& now,
                      Explanation& explanation) {
  impl_->ExplainNew(tenant, job, now, explanation);
}
Wakeup Core::NextWakeup() const { return impl_->NextWakeup(); }
std::vector<LimitRule> Core::limits() const { return impl_->config_.limits; }
std::vector<LedgerUser> Core::ledger_users() const { return impl_->LedgerUsers(); }
std::vector<Cordon> Core::cordons() const { return impl_->Cordons(); }
const LiveSettings& Core::live_settings() const { return impl_->config_.live; }
AccountsView Core::ViewAccounts() const { return impl_->ViewAccounts(); }
std::vector<WorkerView> Core::Fleet() const { return impl_->Fleet(); }
QueueView Core::Queue() const { return impl_->Queue(); }
JobId Core::last_job_id() const { return impl_->config_.last_job_id; }
uint64_t Core::epoch() const { return impl_->config_.epoch; }

Core::Impl::Impl(CoreConfig config)
    : config_(std::move(config)),
      accounts_(config_.bugs.quota_leak),
      charges_(accounts_, config_.share_half_life_us, config_.idle_credit_us,
               config_.bugs.weights_ignored),
      urgent_(config_.urgent_share_percent, config_.urgent_window_us),
      queue_(rows_, accounts_, charges_,
             config_.bugs.no_ageing ? kNever : config_.ageing_interval_us, config_.patience_percent,
             config_.bugs.ignores_priority),
      pools_(attempts_, config_.ahead_jobs, config_.ahead_window_us) {
  if (config_.bugs.grant_forgotten) pools_.ForgetGrants();
  pools_.ledgers().Expect(config_.ledger_users);
  ledger_users_.insert(config_.ledger_users.begin(), config_.ledger_users.end());
  waits_for_users_ = !ledger_users_.empty();
  for (const Cordon& cordon : config_.cordons) cordons_[cordon.worker] = cordon;
  for (const KindConfig& kind : config_.kinds) {
    kinds_.push_back({.config = kind});
    learned_.AddKind(kind.assumed_run_time_us);
  }
  ApplySettings();
}

void Core::Impl::Apply(const Event& event, const Now& now, Effects& effects) {
  now_ = now;
  if (first_boot_us_ == kNever) first_boot_us_ = now.boot_us;
  charges_.SetTime(now);
  effects_ = &effects;
  if (!restored_blocked_.empty()) BlockRestored();
  std::visit([this](const auto& one) { On(one); }, event);
}

void Core::Impl::Advance(const Now& now, Effects& effects) {
  now_ = now;
  charges_.SetTime(now);
  effects_ = &effects;
  if (!restored_blocked_.empty()) BlockRestored();
  SweepCharges();
  if (std::exchange(waits_for_users_, false)) {
    boot_timers_.Add(now.boot_us + config_.lease_us + config_.lease_margin_us,
                     {TimerKind::kShared, 0});
  }
  Timer timer;
  while (wall_timers_.PopDue(now.wall_us, timer)) OnTimer(timer);
  while (boot_timers_.PopDue(now.boot_us, timer)) OnTimer(timer);
  if (now.boot_us >= next_ageing_us_) {
    queue_.Age(now.wall_us, [this](uint32_t group) {
      RefreshShapes(group);
      return RoomOf(group).open >= queue_.Key(group).device_count;
    });
    next_ageing_us_ = now.boot_us + config_.ageing_interval_us / kAgeingLooksPerInterval;
  }
  Place();
}

void Core::Impl::OnTimer(const Timer& timer) {
  switch (timer.kind) {
    case TimerKind::kWakeJob:
      rows_[timer.subject].cold->wake_timer = kNone;
      return Enqueue(timer.subject);
    case TimerKind::kExpireJob:
      rows_[timer.subject].cold->expire_timer = kNone;
      return RequestEnd(timer.subject, Ending::kExpire);
    case TimerKind::kLease:
      return OnLeaseTimer(timer.subject);
    case TimerKind::kAttempt:
      return OnAttemptTimer(timer.subject);
    case TimerKind::kHeld:
      return OnHeldTimer(timer.subject);
    case TimerKind::kGang:
      return OnGangTimer(timer.subject);
    case TimerKind::kServing:
      return OnServingTimer(timer.subject);
    case TimerKind::kDrain:
      return OnDrainTimer(timer.subject);
    case TimerKind::kShared:
      return GiveUpLedgerUsers();
  }
}

Wakeup Core::Impl::NextWakeup() const {
  Wakeup next{.wall_us = wall_timers_.Next(), .boot_us = boot_timers_.Next()};
  next.boot_us = std::min(next.boot_us, recall_at_us_);
  if (!queue_.empty()) {
    next.boot_us = std::min(next.boot_us, next_ageing_us_);
    next.wall_us = std::min(next.wall_us, charges_.NextTurn());
  }
  if (more_to_place_) next.boot_us = now_.boot_us;
  return next;
}

}  // namespace switchyard::scheduler
