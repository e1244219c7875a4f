#include "tests/simulation/simulated_scheduler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/lead/led_store.h"
#include "scheduler/store/forwarding_store.h"
#include "tests/simulation/world.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kMillisecond = 1000;
constexpr int64_t kSecond = 1'000'000;
// Between the arrival of an input and the drain that takes it.
constexpr int64_t kDrainDelayUs = 200;

absl::Status Cut() { return absl::UnavailableError("the line to the store is cut"); }

}  // namespace

// The store as this scheduler reaches it.
class SimulatedScheduler::Line final : public scheduler::ForwardingStore {
 public:
  Line(SimulatedScheduler& scheduler, scheduler::JobStore& store)
      : ForwardingStore(store), scheduler_(scheduler) {}

  absl::Status Commit(uint64_t epoch, const scheduler::WriteBatch& batch) override {
    if (scheduler_.leases_ == nullptr) return store_.Commit(epoch, batch);
    World& world = scheduler_.world_;
    const bool freezes = world.MayFail() && world.random().Chance(0.005);
    const bool before = world.random().Chance(0.5);
    if (freezes && before) scheduler_.FreezeInCommit();
    if (cut()) return Cut();
    const absl::Status status = store_.Commit(epoch, batch);
    if (freezes && !before) scheduler_.FreezeInCommit();
    return cut() ? Cut() : status;
  }
  absl::Status LoadLive(const std::function<absl::Status(scheduler::JobRow&)>& row) override {
    return cut() ? Cut() : store_.LoadLive(row);
  }
  absl::StatusOr<JobId> LastJobId() override {
    if (cut()) return Cut();
    return store_.LastJobId();
  }
  absl::StatusOr<std::vector<std::optional<scheduler::RequestRow>>> FindRequests(
      absl::Span<const scheduler::RequestKey> keys) override {
    if (cut()) return Cut();
    return store_.FindRequests(keys);
  }
  absl::StatusOr<std::vector<std::string>> GetSpecs(absl::Span<const JobId> ids) override {
    if (cut()) return Cut();
    return store_.GetSpecs(ids);
  }
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned) override {
    if (cut()) return Cut();
    return store_.RemoveExpiredRequests(now_ms, max_scanned);
  }

 private:
  bool cut() const { return scheduler_.world_.now_us() < scheduler_.cut_until_us_; }
  SimulatedScheduler& scheduler_;
};

// The same for the lead.
class SimulatedScheduler::LeaseLine final : public scheduler::LeaseStore {
 public:
  explicit LeaseLine(SimulatedScheduler& scheduler) : scheduler_(scheduler) {}

  absl::StatusOr<scheduler::LeaderLease> Read() override {
    if (cut()) return Cut();
    return rows().Read();
  }
  absl::StatusOr<uint64_t> Take(const scheduler::LeaderLease& seen,
                                const scheduler::SchedulerIdentity& self) override {
    if (cut()) return Cut();
    return rows().Take(seen, self);
  }
  absl::Status Renew(uint64_t term) override { return cut() ? Cut() : rows().Renew(term); }
  absl::Status Release(uint64_t term) override { return cut() ? Cut() : rows().Release(term); }
  absl::StatusOr<uint64_t> BumpEpoch(uint64_t term) override {
    if (cut()) return Cut();
    return rows().BumpEpoch(term);
  }
  absl::Status Note(const scheduler::SchedulerIdentity& self) override {
    return cut() ? Cut() : rows().Note(self);
  }
  absl::StatusOr<std::vector<scheduler::StandbyRow>> Noted(absl::Duration age) override {
    if (cut()) return Cut();
    return rows().Noted(age);
  }

 private:
  bool cut() const { return scheduler_.world_.now_us() < scheduler_.cut_until_us_; }
  scheduler::LeaseStore& rows() { return *scheduler_.leases_; }
  SimulatedScheduler& scheduler_;
};

SimulatedScheduler::SimulatedScheduler(World& world, size_t index, scheduler::EngineOptions options,
                                       scheduler::JobStore& store, scheduler::LeaseStore* leases)
    : world_(world),
      index_(index),
      options_(std::move(options)),
      leases_(leases),
      line_(std::make_unique<Line>(*this, store)),
      lease_line_(std::make_unique<LeaseLine>(*this)) {}

SimulatedScheduler::~SimulatedScheduler() = default;

void SimulatedScheduler::Start() {
  ++process_;
  scheduler::EngineOptions options = options_;
  if (leases_ == nullptr) {
    engine_ = std::make_unique<scheduler::Engine>(options, *line_, world_.clock(), *this);
    engine_->Start().IgnoreError();  // The engine tries again with every drain.
    return PlanDrain(0);
  }
  const std::string name = absl::StrCat("s", index_ + 1);
  keeper_ = std::make_unique<scheduler::LeaderKeeper>(
      scheduler::LeaderOptions{
          .self = {.id = name, .name = name, .client_address = name, .version = ""}, .log = false},
      *lease_line_, world_.clock(), [this] { PlanDrain(0); });
  led_store_ = std::make_unique<scheduler::LedStore>(*line_, *lease_line_, *keeper_);
  options.leadership = keeper_.get();
  options.log = false;
  engine_ = std::make_unique<scheduler::Engine>(options, *led_store_, world_.clock(), *this);
  StepKeeper(process_);
}

bool SimulatedScheduler::Crash() {
  if (engine_ == nullptr || in_commit_) return false;
  engine_.reset();
  led_store_.reset();
  keeper_.reset();
  inbox_.clear();
  drain_at_us_ = scheduler::kNever;
  frozen_until_us_ = 0;
  ++process_;
  return true;
}

bool SimulatedScheduler::frozen() const { return world_.now_us() < frozen_until_us_; }

void SimulatedScheduler::Freeze(int64_t for_us) {
  if (engine_ == nullptr || frozen()) return;
  world_.Fault("scheduler_frozen");
  if (Leads()) ++world_.counters()["leader_frozen"];
  frozen_until_us_ = world_.now_us() + for_us;
}

void SimulatedScheduler::FreezeInCommit() {
  world_.Fault("scheduler_frozen_in_commit");
  in_commit_ = true;
  frozen_until_us_ = world_.now_us() + world_.random().Between(kSecond, 20 * kSecond);
  world_.Run(frozen_until_us_, [] { return false; });
  world_.AdvanceTo(frozen_until_us_);
  in_commit_ = false;
}

void SimulatedScheduler::CutOff(int64_t for_us) {
  world_.Fault("scheduler_cut_off");
  cut_until_us_ = std::max(cut_until_us_, world_.now_us() + for_us);
}

bool SimulatedScheduler::Leads() const {
  if (engine_ == nullptr) return false;
  return keeper_ == nullptr || scheduler::LeadingTerm(*keeper_, world_.clock()) != 0;
}

void SimulatedScheduler::StepKeeper(uint64_t process) {
  if (process != process_) return;
  int64_t pause_us = 0;
  if (frozen() || in_commit_) {
    // Which of its threads runs first when it wakes is a matter of chance.
    pause_us = frozen_until_us_ - world_.now_us() + world_.random().Between(0, 200 * kMillisecond);
  } else {
    pause_us = absl::ToInt64Microseconds(keeper_->Step());
    world_.CheckLeaders();
  }
  world_.After(std::max<int64_t>(pause_us, kMillisecond), [this, process] { StepKeeper(process); });
}

void SimulatedScheduler::Arrive(scheduler::Input input) {
  if (engine_ == nullptr) return;  // Nobody listens; callers notice by themselves.
  inbox_.push_back(std::move(input));
  PlanDrain(kDrainDelayUs);
}

void SimulatedScheduler::PlanDrain(int64_t delay_us) {
  const int64_t at_us = world_.now_us() + delay_us;
  if (at_us >= drain_at_us_) return;
  drain_at_us_ = at_us;
  world_.After(delay_us, [this, at_us] {
    if (drain_at_us_ != at_us) return;  // Planned anew since.
    drain_at_us_ = scheduler::kNever;
    DrainNow();
  });
}

void SimulatedScheduler::DrainNow() {
  if (engine_ == nullptr) return;
  if (frozen() || in_commit_) {
    return PlanDrain(std::max(frozen_until_us_ - world_.now_us(), kMillisecond));
  }
  ++world_.counters()["drains"];
  drain_wall_us_ = world_.wall_us();
  engine_->Drain(inbox_);
  if (!inbox_.empty()) return PlanDrain(kDrainDelayUs);
  const absl::Duration wait = engine_->TimeToWakeup();
  if (wait != absl::InfiniteDuration())
    PlanDrain(std::max<int64_t>(absl::ToInt64Microseconds(wait), kMillisecond / 2));
}

void SimulatedScheduler::Send(uint64_t epoch, scheduler::SessionOutput output) {
  world_.Send(*this, epoch, std::move(output));
}

void SimulatedScheduler::Publish(absl::Span<const scheduler::JobNotice> notices) {
  world_.Publish(notices);
}

void SimulatedScheduler::Rebuilt(uint64_t epoch) { world_.Rebuilt(*this, epoch); }

}  // namespace switchyard::simulation
