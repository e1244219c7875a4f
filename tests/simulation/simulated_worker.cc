#include "tests/simulation/simulated_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::simulation {
namespace {

using scheduler::Outcome;

constexpr int64_t kMillisecond = 1000;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kLeaseUs = 30 * kSecond;
constexpr int64_t kHeartbeatUs = 5 * kSecond;

}  // namespace

SimulatedWorker::SimulatedWorker(World& world, std::string name, std::vector<std::string> devices,
                                 int drift_ppm)
    : world_(world),
      name_(std::move(name)),
      devices_(std::move(devices)),
      drift_ppm_(drift_ppm),
      wall_offset_us_(world.random().Between(-5 * kSecond, 5 * kSecond)),
      memory_(
          world, name_, devices_,
          [this](int64_t delay_us, std::function<void()> what) {
            After(delay_us, std::move(what));
          },
          [this](const scheduler::ServingState& state) { TellServing(session_, state); }) {
  if (drift_ppm != 0) world_.Fault("clock_drift");
  memory_.Begin();
  Heartbeat();
}

int64_t SimulatedWorker::BootTime() {
  const int64_t now_us = world_.now_us();
  return now_us + now_us * drift_ppm_ / 1'000'000;
}

int64_t SimulatedWorker::WallTime() { return world_.wall_us() + wall_offset_us_; }

void SimulatedWorker::After(int64_t delay_us, std::function<void()> what) {
  // Nothing planned survives the daemon.
  world_.After(delay_us, [this, incarnation = incarnation_, what = std::move(what)] {
    if (up_ && incarnation == incarnation_) what();
  });
}

// --- Stream and lease ---

void SimulatedWorker::Connect() {
  if (!up_ || session_ != 0) return;
  if (hung_until_us_ > world_.now_us())
    return After(hung_until_us_ - world_.now_us(), [this] { Connect(); });
  session_ = world_.OpenSession(this);
  welcomed_ = false;
  hello_us_ = BootTime();
  heartbeat_sent_us_.clear();
  scheduler::WorkerAttached hello;
  hello.session = session_;
  hello.worker = name_;
  hello.incarnation = absl::StrCat(name_, "-", incarnation_);
  for (const std::string& device : devices_) hello.devices.push_back({.device = device});
  hello.host_figures = HostFiguresNow();
  memory_.Fill(hello);
  hello.kinds = {"noop", "train"};
  hello.attempts = State();
  told_.clear();
  for (const auto& [ref, attempt] : attempts_) told_.insert(ref);
  world_.ToScheduler(session_, std::move(hello));
}

std::vector<scheduler::AttemptReport> SimulatedWorker::State() const {
  std::vector<scheduler::AttemptReport> state;
  for (const auto& [ref, attempt] : attempts_) {
    if (attempt.running) {
      state.push_back({ref, scheduler::Started{.time_us = attempt.start_us,
                                               .device = attempt.assignment.device}});
    } else {
      state.push_back({ref, scheduler::Held{}});
    }
  }
  for (const auto& [ref, report] : unacknowledged_) state.push_back(report);
  return state;
}

void SimulatedWorker::OnStreamLost(uint64_t session) {
  if (!up_ || session != session_) return;
  world_.LeaveSession(session_);
  session_ = 0;
  unread_.clear();
  After(world_.random().Between(10 * kMillisecond, 3 * kSecond), [this] { Connect(); });
}

void SimulatedWorker::Heartbeat() {
  After(kHeartbeatUs, [this] { Heartbeat(); });
  if (session_ == 0 || hung_until_us_ > world_.now_us()) return;
  heartbeat_sent_us_[++heartbeats_] = BootTime();
  world_.ToScheduler(session_,
                     scheduler::WorkerHeartbeat{.session = session_, .sequence = heartbeats_});
  TellInteractive();
  ReportAgain();
}

void SimulatedWorker::TellInteractive() {
  if (!world_.faulty()) return;
  scheduler::InteractiveUse use{.session = session_};
  if (world_.profile().features.Has(Feature::kInteractive)) {
    Random& random = world_.random();
    use.uses.push_back({absl::StrCat("tenant-", random.Below(5)), random.Between(0, kHeartbeatUs)});
  }
  for (const TenantProfile& tenant : world_.profile().tenants) {
    if (tenant.interactive_percent == 0) continue;
    const int64_t usual_us = kHeartbeatUs / 100 * tenant.interactive_percent;
    use.uses.push_back({tenant.settings.name, world_.random().Between(0, 2 * usual_us)});
  }
  if (use.uses.empty()) return;
  for (const auto& each : use.uses) {
    world_.Tell([&](Checker& checker) {
      checker.OnInteractive(each.tenant, each.device_us, world_.now_us());
    });
  }
  ++world_.counters()["interactive_uses"];
  world_.ToScheduler(session_, std::move(use));
}

void SimulatedWorker::ReportAgain() {
  if (unacknowledged_.empty()) return;
  scheduler::WorkerReports reports{.session = session_};
  for (const auto& [ref, report] : unacknowledged_) reports.reports.push_back(report);
  ++world_.counters()["reports_repeated"];
  world_.ToScheduler(session_, std::move(reports));
}

void SimulatedWorker::ArmLease() {
  if (lease_armed_) return;  // It looks again when it fires.
  lease_armed_ = true;
  const int64_t left_us = std::max<int64_t>(lease_until_us_ - BootTime(), 0);
  After(left_us + kMillisecond, [this] {
    lease_armed_ = false;
    CheckLease();
  });
}

// The runners know the lease too: this happens though the daemon hangs.
void SimulatedWorker::CheckLease() {
  if (BootTime() < lease_until_us_) return ArmLease();
  // Models go too: another worker may share the memory they are in.
  memory_.Clear();
  if (attempts_.empty()) return;
  ++world_.counters()["leases_run_out"];
  EndAll();
  if (session_ == 0) return;
  world_.LeaveSession(session_);
  session_ = 0;
  unread_.clear();
  After(world_.random().Between(10 * kMillisecond, kSecond), [this] { Connect(); });
}

void SimulatedWorker::OnMessage(const scheduler::SessionOutput& message) {
  if (!up_ || message.session != session_) return;
  if (hung_until_us_ > world_.now_us()) {
    unread_.push_back(message);
    return;
  }
  Take(message);
}

void SimulatedWorker::Take(const scheduler::SessionOutput& message) {
  if (message.welcome.has_value()) TakeWelcome(*message.welcome);
  if (message.limits.has_value()) limits_ = *message.limits;
  // What was promised under a lease that is over may be others' by now.
  if (BootTime() < lease_until_us_) memory_.Take(message.serving_budgets);
  for (const auto& assignment : message.assignments) TakeAssignment(assignment);
  for (const auto& cancel : message.cancels) TakeCancel(cancel);
  for (const AttemptRef& ref : message.recalls) TakeRecall(ref);
  for (const AttemptRef& ref : message.acknowledgements) unacknowledged_.erase(ref);
  const auto sent = heartbeat_sent_us_.find(message.heartbeat_acknowledged);
  if (sent != heartbeat_sent_us_.end()) {
    lease_until_us_ = std::max(lease_until_us_, sent->second + kLeaseUs);
    heartbeat_sent_us_.erase(heartbeat_sent_us_.begin(), std::next(sent));
    ArmLease();
  }
  if (message.close) return OnStreamLost(message.session);
  StartWhatFits();
}

void SimulatedWorker::TakeWelcome(const scheduler::WelcomeWorker& welcome) {
  welcomed_ = true;
  limits_ = welcome.limits;
  lease_until_us_ = std::max(lease_until_us_, hello_us_ + kLeaseUs);
  ArmLease();
  if (BootTime() < lease_until_us_) memory_.Take(welcome.serving_budgets);
  for (auto attempt = attempts_.begin(); attempt != attempts_.end();) {
    const auto next = std::next(attempt);
    const AttemptRef& ref = attempt->first;
    const bool kept =
        std::find(welcome.keep.begin(), welcome.keep.end(), ref) != welcome.keep.end();
    if (told_.contains(ref) && !kept) {
      ++world_.counters()["attempts_dropped"];
      End(attempt);
    }
    attempt = next;
  }
}

// --- Attempts ---

std::vector<Site> SimulatedWorker::SitesOf(const Attempt& attempt) const {
  const scheduler::AssignAttempt& assignment = attempt.assignment;
  std::vector<Site> sites;
  for (const std::string& device : assignment.gang.devices) {
    sites.push_back({name_, device, assignment.job_class});
  }
  if (sites.empty()) sites.push_back({name_, assignment.device, assignment.job_class});
  return sites;
}

bool SimulatedWorker::Uses(const Attempt& attempt, const scheduler::DeviceLimit& limit) const {
  if (attempt.assignment.job_class != limit.job_class) return false;
  for (const Site& site : SitesOf(attempt)) {
    if (site.device == limit.device) return true;
  }
  return false;
}

bool SimulatedWorker::RoomFor(const Attempt& attempt) const {
  for (const scheduler::DeviceLimit& limit : limits_) {
    if (!Uses(attempt, limit)) continue;
    uint32_t running = 0;
    for (const auto& [ref, other] : attempts_) running += other.running && Uses(other, limit);
    if (running >= limit.max_running) return false;
  }
  return true;
}

bool SimulatedWorker::HasExpired(const Attempt& attempt) {
  return attempt.expire_us != 0 && WallTime() >= attempt.expire_us;
}

void SimulatedWorker::TakeAssignment(const scheduler::Assignment& assignment) {
  if (BootTime() >= lease_until_us_) return;  // It would be ended at once.
  Attempt& attempt = attempts_[assignment.attempt.ref];
  if (attempt.assignment.ref.job != 0) return;
  attempt.assignment = assignment.attempt;
  attempt.plan = PlanJob(TokenIn(assignment.job));
  v1::Job job;
  job.ParseFromString(assignment.job);
  attempt.expire_us = job.expire_time().seconds() * kSecond + job.expire_time().nanos() / 1000;
}

void SimulatedWorker::TakeCancel(const scheduler::CancelAttempt& cancel) {
  const auto found = attempts_.find(cancel.ref);
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  if (!attempt.running) {
    Finish(cancel.ref, Outcome::kCancelled);
    return;
  }
  attempt.checkpoint_first = cancel.checkpoint_first;
  if (cancel.preempt) {
    ++world_.counters()["preemption_notices"];
    return GiveBack(cancel.ref);
  }
  After(world_.random().Between(0, 800 * kMillisecond),
        [this, ref = cancel.ref] { Finish(ref, Outcome::kCancelled); });
}

void SimulatedWorker::GiveBack(const AttemptRef& ref) {
  // Some take longer to store a checkpoint than they are given.
  const int64_t takes_us = world_.random().Between(0, kPreemptionGraceUs * 3 / 2);
  After(takes_us, [this, ref] {
    const auto found = attempts_.find(ref);
    if (found == attempts_.end() || hung_until_us_ > world_.now_us()) return;
    Report(ref, scheduler::CheckpointStored{
                    .artifact = {.name = "checkpoint", .sha256 = Describe(ref)}});
    End(found);
    const scheduler::AttemptReport report{ref, scheduler::Returned{}};
    unacknowledged_[ref] = report;
    Report(ref, report.report);
    ++world_.counters()["preempted"];
    StartWhatFits();
  });
}

void SimulatedWorker::TakeRecall(const AttemptRef& ref) {
  const auto found = attempts_.find(ref);
  if (found == attempts_.end() || found->second.running) return;
  attempts_.erase(found);
  ++world_.counters()["recalls_answered"];
  const scheduler::AttemptReport report{ref, scheduler::Returned{}};
  unacknowledged_[ref] = report;
  Report(ref, report.report);
}

void SimulatedWorker::StartWhatFits() {
  if (!welcomed_ || BootTime() >= lease_until_us_) return;
  for (const scheduler::DeviceLimit& limit : limits_) {
    while (StartBest(limit)) {
    }
  }
}

bool SimulatedWorker::StartBest(const scheduler::DeviceLimit& limit) {
  Attempt* best = nullptr;
  for (auto& [ref, attempt] : attempts_) {
    if (attempt.running || HasExpired(attempt) || !Uses(attempt, limit)) continue;
    if (best == nullptr || attempt.assignment.rank < best->assignment.rank) best = &attempt;
  }
  // One of several devices waits for all of them; nothing worse takes one meanwhile.
  if (best == nullptr || !RoomFor(*best)) return false;
  Start(*best);
  return true;
}

void SimulatedWorker::Start(Attempt& attempt) {
  const AttemptRef ref = attempt.assignment.ref;
  attempt.running = true;
  attempt.start_us = WallTime();
  attempt.runs_out = !memory_.Allocate(attempt.assignment, attempt.plan);
  world_.Trace("start", ref.job, ref.fencing.counter);
  ++world_.counters()["attempts_run"];
  if (attempt.assignment.gang.size > 0) ++world_.counters()["gang_members_run"];
  for (const Site& site : SitesOf(attempt)) {
    world_.Tell([&](Checker& checker) { checker.OnRun(site, ref, world_.now_us()); });
  }
  // Short work is reported with its end only.
  if (attempt.plan.run_us > 10 * kMillisecond || world_.random().Chance(0.5)) {
    Report(ref, scheduler::Started{.time_us = attempt.start_us,
                                   .device = attempt.assignment.device,
                                   .device_name = "simulated",
                                   .phase = scheduler::Phase::kWorking});
  }
  if (attempt.plan.kind == kTrain) {
    After(attempt.plan.run_us / 2, [this, ref] {
      if (!attempts_.contains(ref)) return;
      Report(ref, scheduler::CheckpointStored{
                      .artifact = {.name = "checkpoint", .sha256 = Describe(ref)}});
    });
  }
  if (attempt.plan.stuck) return;
  After(attempt.runs_out ? attempt.plan.run_us / 2 : attempt.plan.run_us, [this, ref] {
    const auto found = attempts_.find(ref);
    if (found != attempts_.end()) Finish(ref, PlannedOutcome(found->second));
  });
}

Outcome SimulatedWorker::PlannedOutcome(const Attempt& attempt) const {
  if (attempt.assignment.ref.attempt <= attempt.plan.crashes) return Outcome::kRunnerLost;
  if (attempt.runs_out || attempt.plan.fails || attempt.plan.fails_for_good)
    return Outcome::kFailed;
  return Outcome::kSucceeded;
}

scheduler::Finished SimulatedWorker::MakeFinished(const Attempt& attempt, Outcome outcome) {
  scheduler::Finished finished;
  finished.outcome = outcome;
  finished.permanent = attempt.plan.fails_for_good;
  finished.device = attempt.assignment.device;
  const scheduler::AssignAttempt& assignment = attempt.assignment;
  if (attempt.runs_out && outcome == Outcome::kFailed) {
    ++world_.counters()["out_of_memory"];
    finished.out_of_memory = true;
    finished.permanent = false;
  }
  if (attempt.running && attempt.plan.true_bytes > 0) {
    finished.batch = SimulatedMemory::BatchOf(attempt.plan, assignment.batch_limit);
    finished.memory_peak_bytes = SimulatedMemory::TrueNeed(attempt.plan, assignment.batch_limit);
    // It had not come to its peak.
    if (attempt.runs_out) {
      finished.memory_peak_bytes =
          std::min(finished.memory_peak_bytes, assignment.memory_bytes / 4 * 5);
    }
  }
  if (attempt.running) {
    finished.start_us = attempt.start_us;
    finished.end_us = WallTime();
    finished.run_us = std::max<int64_t>(finished.end_us - finished.start_us, 1);
  }
  v1::Job result;
  result.mutable_noop_result()->set_payload(Describe(attempt.assignment.ref) + " " + name_);
  finished.result = result.SerializeAsString();
  return finished;
}

void SimulatedWorker::Finish(const AttemptRef& ref, Outcome outcome) {
  const auto found = attempts_.find(ref);
  if (found == attempts_.end()) return;
  if (hung_until_us_ > world_.now_us()) {
    // The runner is done; the daemon says so when it is back.
    return After(hung_until_us_ - world_.now_us() + kMillisecond,
                 [this, ref, outcome] { Finish(ref, outcome); });
  }
  const scheduler::AttemptReport report{ref, MakeFinished(found->second, outcome)};
  End(found);
  unacknowledged_[ref] = report;
  Report(ref, report.report);
  if (world_.faulty() && world_.random().Chance(0.05)) {
    world_.Fault("repeated_report");
    Report(ref, report.report);
  }
  StartWhatFits();
}

void SimulatedWorker::End(std::map<AttemptRef, Attempt>::iterator attempt) {
  past_.push_back(attempt->first);
  if (attempt->second.running) {
    for (const Site& site : SitesOf(attempt->second)) {
      world_.Tell(
          [&](Checker& checker) { checker.OnRunEnd(site, attempt->first, world_.now_us()); });
    }
    memory_.Free(attempt->second.assignment);
  }
  attempts_.erase(attempt);
}

void SimulatedWorker::EndAll() {
  while (!attempts_.empty()) End(attempts_.begin());
}

void SimulatedWorker::Report(const AttemptRef& ref,
                             decltype(scheduler::AttemptReport::report) report) {
  if (session_ == 0 || hung_until_us_ > world_.now_us()) return;  // The next hello tells.
  scheduler::WorkerReports reports{.session = session_};
  reports.reports.push_back({ref, std::move(report)});
  world_.ToScheduler(session_, std::move(reports));
}

// --- Faults ---

void SimulatedWorker::Crash(int64_t down_us) {
  if (!up_) return;
  world_.Fault(down_us > 3600 * kSecond ? "worker_leaves_for_good" : "worker_crash");
  EndAll();
  memory_.Clear();
  host_busy_ = false;
  unacknowledged_.clear();
  unread_.clear();
  if (session_ != 0) world_.LeaveSession(session_);
  session_ = 0;
  up_ = false;
  hung_until_us_ = 0;
  lease_until_us_ = 0;
  lease_armed_ = false;
  world_.After(down_us, [this] {
    up_ = true;
    ++incarnation_;
    memory_.Begin();
    Heartbeat();
    Connect();
  });
}

void SimulatedWorker::Drain(int64_t down_us) {
  if (session_ == 0 || !welcomed_ || hung_until_us_ > world_.now_us()) return;
  world_.Fault("worker_drain");
  world_.ToScheduler(session_, scheduler::WorkerDraining{.session = session_});
  std::vector<AttemptRef> held;
  for (const auto& [ref, attempt] : attempts_) {
    if (!attempt.running) held.push_back(ref);
  }
  for (const AttemptRef& ref : held) TakeRecall(ref);
  After(world_.random().Between(0, 5 * kSecond), [this, down_us] { Crash(down_us); });
}

void SimulatedWorker::Hang(int64_t for_us) {
  if (!up_ || hung_until_us_ > world_.now_us()) return;
  world_.Fault("worker_hang");
  hung_until_us_ = world_.now_us() + for_us;
  After(for_us, [this] {
    const std::deque<scheduler::SessionOutput> messages = std::move(unread_);
    unread_.clear();
    for (const auto& message : messages) {
      if (message.session == session_) Take(message);
    }
    if (session_ != 0) {
      ReportAgain();
      TellHost();
    }
    StartWhatFits();
  });
}

void SimulatedWorker::Lie() {
  if (session_ == 0 || hung_until_us_ > world_.now_us() || past_.empty()) return;
  Random& random = world_.random();
  // Of the latest, so that the job lives and runs elsewhere now.
  const size_t recent = std::min<size_t>(past_.size(), 8);
  Attempt liar;
  liar.running = true;
  liar.start_us = random.Between(-kSecond, 4'000'000'000 * kSecond);
  liar.assignment.ref = past_[past_.size() - 1 - random.Below(recent)];
  if (random.Chance(0.5)) {
    world_.Fault("lie_outdated_fence");
  } else {
    world_.Fault("lie_forged_fence");
    // Far off: one that guesses right is this attempt's worker, as far as anybody can tell.
    liar.assignment.ref.fencing.counter += random.Between(100'000, 200'000);
    liar.assignment.ref.attempt += random.Below(2);
  }
  if (random.Chance(0.3)) Report(liar.assignment.ref, scheduler::Started{.time_us = liar.start_us});
  Report(liar.assignment.ref,
         MakeFinished(liar, random.Chance(0.7) ? Outcome::kSucceeded : Outcome::kFailed));
}

void SimulatedWorker::CrashRunner() {
  for (const auto& [ref, attempt] : attempts_) {
    if (!attempt.running) continue;
    world_.Fault("runner_crash");
    return Finish(ref, Outcome::kRunnerLost);
  }
}

scheduler::HostFigures SimulatedWorker::HostFiguresNow() const {
  return {.memory_used_bytes = host_busy_ ? 101 : 50, .memory_ceiling_bytes = 100};
}

void SimulatedWorker::TellHost() {
  if (session_ == 0 || hung_until_us_ > world_.now_us()) return;
  world_.ToScheduler(session_, scheduler::WorkerHostChanged{session_, HostFiguresNow()});
}

void SimulatedWorker::BusyHost(int64_t for_us) {
  if (host_busy_ || !up_) return;
  world_.Fault("host_busy");
  const auto tell = [this](bool busy) {
    host_busy_ = busy;
    TellHost();
  };
  tell(true);
  // Said again and again, as figures are: one that gets lost is not missed for long.
  for (int i = 0; i < 5; ++i) {
    After(for_us + i * kHeartbeatUs, [tell] { tell(false); });
  }
}

void SimulatedWorker::TellServing(uint64_t session, const scheduler::ServingState& state) {
  if (session_ == 0 || session_ != session) return;  // It counts within its session only.
  if (hung_until_us_ > world_.now_us()) {
    return After(hung_until_us_ - world_.now_us() + kMillisecond,
                 [this, session, state] { TellServing(session, state); });
  }
  world_.ToScheduler(session_, scheduler::WorkerServing{session_, {state}});
}

void SimulatedWorker::BreakStream() {
  if (session_ != 0) world_.BreakSession(session_);
}

}  // namespace switchyard::simulation
