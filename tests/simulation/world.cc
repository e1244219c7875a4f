#include "tests/simulation/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/store/forwarding_store.h"
#include "tests/simulation/simulated_worker.h"
#include "tests/simulation/site.h"

namespace switchyard::simulation {
namespace {

using scheduler::StoreFault;

constexpr int64_t kMillisecond = 1000;
constexpr int64_t kSecond = 1'000'000;

// Commits whatever the epoch: a planted bug.
class CarelessStore final : public scheduler::ForwardingStore {
 public:
  explicit CarelessStore(scheduler::MemoryStore& store) : ForwardingStore(store), memory_(store) {}
  absl::Status Commit(uint64_t, const scheduler::WriteBatch& batch) override {
    return store_.Commit(memory_.epoch(), batch);
  }

 private:
  scheduler::MemoryStore& memory_;
};

scheduler::EngineOptions MakeEngineOptions(const SimulationOptions& options,
                                           const Profile& profile) {
  scheduler::EngineOptions engine;
  engine.core.kinds = {{.name = "noop",
                        .number = kNoop,
                        .job_class = scheduler::JobClass::kInference,
                        .default_timeout_us = 3600 * kSecond,
                        .assumed_run_time_us = 10},
                       {.name = "train",
                        .number = kTrain,
                        .job_class = scheduler::JobClass::kTraining,
                        .checkpoints = true,
                        .shrinks_batch = true}};
  engine.core.urgent_share_percent = options.no_urgent_share ? 100 : profile.urgent_share_percent;
  engine.core.preemption.enabled = profile.features.Has(Feature::kPreemption);
  engine.core.preemption.min_run_us = kMinRunUs;
  engine.core.preemption.grace_us = kPreemptionGraceUs;
  engine.core.ageing_interval_us = profile.ageing_interval_us;
  engine.core.idle_credit_us = profile.idle_credit_us;
  engine.core.share_half_life_us = profile.share_half_life_us;
  for (const TenantProfile& tenant : profile.tenants) {
    engine.core.tenants.push_back(tenant.settings);
  }
  engine.core.bugs = options.bugs;
  engine.reply_before_commit = options.reply_before_commit;
  engine.acts_after_its_lease = options.acts_after_its_lease;
  return engine;
}

Profile SiteOf(const SimulationOptions& options) {
  const Profile& profile =
      options.profile == nullptr ? ProfileForSeed(options.seed) : *options.profile;
  return profile.drawn ? DrawSite(options.seed) : profile;
}

}  // namespace

std::string Describe(const AttemptRef& ref) {
  return absl::StrCat(FormatJobId(ref.job), " attempt ", ref.attempt, " fence ", ref.fencing.epoch,
                      ".", ref.fencing.counter);
}

World::World(const SimulationOptions& options)
    : options_(options),
      profile_(SiteOf(options)),
      random_(options.seed),
      store_random_(random_.Fork()),
      store_(this, [this](absl::Duration delay) { clock_.Advance(delay); }) {
  for (size_t i = 0; i < kFeatureNames.size(); ++i) {
    if (profile_.features.Has(static_cast<Feature>(i)))
      ++counters_[absl::StrCat("site.", kFeatureNames[i])];
  }
  ++counters_["site." + profile_.name];
  scheduler::JobStore* store = &store_;
  if (options_.takes_old_commits) {
    careless_store_ = std::make_unique<CarelessStore>(store_);
    store = careless_store_.get();
  }
  scheduler::LeaseStore* leases = profile_.schedulers > 1 ? &leases_ : nullptr;
  for (int i = 0; i < profile_.schedulers; ++i) {
    schedulers_.push_back(std::make_unique<SimulatedScheduler>(
        *this, i, MakeEngineOptions(options_, profile_), *store, leases));
  }
  for (const auto& scheduler : schedulers_) scheduler->Start();
}

World::~World() = default;

int64_t World::now_us() { return absl::ToInt64Microseconds(clock_.BootTime() - absl::Hours(1)); }
int64_t World::wall_us() { return absl::ToUnixMicros(clock_.Now()); }

void World::After(int64_t delay_us, std::function<void()> what) {
  happenings_.push_back({now_us() + std::max<int64_t>(delay_us, 0), sequence_++, std::move(what)});
  std::push_heap(happenings_.begin(), happenings_.end());
}

void World::Run(int64_t until_us, const std::function<bool()>& done) {
  while (!happenings_.empty() && happenings_.front().at_us <= until_us && !done()) {
    std::pop_heap(happenings_.begin(), happenings_.end());
    const Happening next = std::move(happenings_.back());
    happenings_.pop_back();
    // A slow store may have passed the time of what was to happen meanwhile: it happens late.
    if (next.at_us > now_us()) clock_.Advance(absl::Microseconds(next.at_us - now_us()));
    ++events_;
    next.what();
  }
}

void World::Trace(absl::string_view what, uint64_t a, uint64_t b) {
  const auto fold = [this](uint64_t word) { trace_ = (trace_ ^ word) * 0x100000001B3u; };
  for (const char c : what) fold(static_cast<unsigned char>(c));
  fold(a);
  fold(b);
  fold(static_cast<uint64_t>(now_us()));
}

// --- The schedulers ---

void World::AdvanceTo(int64_t time_us) {
  if (time_us > now_us()) clock_.Advance(absl::Microseconds(time_us - now_us()));
}

SimulatedScheduler& World::AnyScheduler() {
  return *schedulers_[several() ? random_.Below(schedulers_.size()) : 0];
}

SimulatedScheduler& World::Leader() {
  if (!several()) return *schedulers_[0];
  if (MayFail() && random_.Chance(0.1)) return AnyScheduler();
  const std::string id = leases_.Read()->holder.id;
  for (const auto& scheduler : schedulers_) {
    if (absl::StrCat("s", scheduler->index() + 1) == id) return *scheduler;
  }
  return AnyScheduler();
}

void World::CheckLeaders() {
  int leading = 0;
  for (const auto& scheduler : schedulers_) leading += scheduler->Leads() ? 1 : 0;
  Tell([leading](Checker& checker) { checker.OnLeaders(leading); });
}

void World::DisturbAScheduler() {
  SimulatedScheduler& one = random_.Chance(0.7) ? Leader() : AnyScheduler();
  const int64_t for_us = random_.Between(kSecond / 2, 40 * kSecond);
  switch (random_.Below(3)) {
    case 0:
      return one.Freeze(for_us);
    case 1:
      return one.CutOff(for_us);
    default:
      // The database is away from all of them.
      for (const auto& scheduler : schedulers_) scheduler->CutOff(for_us / 4);
  }
}

void World::CrashScheduler(int64_t down_us) {
  SimulatedScheduler& crashed = Leader();
  if (!crashed.Crash()) return;
  Fault("scheduler_crash");
  Trace("crash", 0, 0);
  for (auto& [number, session] : sessions_) {
    if (session.scheduler != &crashed) continue;
    session.detached = true;
    session.cut_us = std::min(session.cut_us, now_us());
    if (!session.worker_left) {
      After(Latency(),
            [worker = session.worker, number = number] { worker->OnStreamLost(number); });
    }
  }
  After(down_us, [&crashed] { crashed.Start(); });
}

void World::StepWallClock(int64_t by_us) {
  Fault("wall_clock_step");
  clock_.StepWallClock(absl::Microseconds(by_us));
}

std::shared_ptr<const scheduler::AccountsView> World::accounts() const {
  const SimulatedScheduler& first = *schedulers_.front();
  if (!first.up()) return std::make_shared<scheduler::AccountsView>();
  return first.engine()->live_view().accounts();
}

void World::Command(scheduler::Input input) {
  After(Latency(), [this, input = std::make_shared<scheduler::Input>(std::move(input))] {
    Leader().Arrive(std::move(*input));
  });
}

// --- The network ---

int64_t World::Latency() {
  if (MayFail() && random_.Chance(0.01)) {
    Fault("slow_message");
    return random_.Between(100 * kMillisecond, 3 * kSecond);
  }
  return random_.Between(50, 2 * kMillisecond);
}

uint64_t World::OpenSession(SimulatedWorker* worker) {
  const uint64_t number = next_session_++;
  sessions_[number].worker = worker;
  sessions_[number].scheduler = &Leader();
  return number;
}

void World::ToScheduler(uint64_t number, scheduler::Event event) {
  Session& session = sessions_[number];
  session.last_up_us = std::max(session.last_up_us, now_us() + Latency());
  const auto input = std::make_shared<scheduler::Input>();
  input->event = std::move(event);
  After(session.last_up_us - now_us(), [this, number, input] {
    const Session& session = sessions_[number];
    if (session.detached || now_us() > session.cut_us) {
      ++counters_["messages_lost"];
      return;
    }
    session.scheduler->Arrive(std::move(*input));
  });
}

void World::Send(const SimulatedScheduler& from, uint64_t epoch, scheduler::SessionOutput output) {
  const auto found = sessions_.find(output.session);
  if (found == sessions_.end()) return;
  Session& session = found->second;
  for (const scheduler::Assignment& assignment : output.assignments) {
    const scheduler::AssignAttempt& attempt = assignment.attempt;
    Trace("assign", attempt.ref.job, attempt.ref.fencing.counter);
    const Site site{session.worker->name(), attempt.device, attempt.job_class};
    Tell([&](Checker& checker) { checker.OnAssigned(site, attempt, from.drain_wall_us()); });
  }
  for (const scheduler::CancelAttempt& cancel : output.cancels) {
    Tell([&](Checker& checker) { checker.OnCancelSent(session.worker->name(), cancel, now_us()); });
  }
  session.last_down_us = std::max(session.last_down_us, now_us() + Latency());
  const bool close = output.close;
  const uint64_t number = output.session;
  const auto message = std::make_shared<scheduler::SessionOutput>(std::move(output));
  After(session.last_down_us - now_us(), [this, number, message, epoch] {
    const Session& session = sessions_[number];
    if (session.worker_left) return;
    uint64_t& seen = epochs_seen_[session.worker];
    if (epoch < seen && several() && !options_.believes_old_leaders) {
      ++counters_["old_leaders_left"];
      return session.worker->OnStreamLost(number);
    }
    seen = std::max(seen, epoch);
    session.worker->OnMessage(*message);
  });
  if (close) session.detached = true;
}

void World::Detach(uint64_t number, int64_t delay_us) {
  After(delay_us, [this, number] {
    Session& session = sessions_[number];
    if (session.detached) return;
    session.detached = true;
    scheduler::Input input;
    input.event = scheduler::WorkerDetached{.session = number};
    session.scheduler->Arrive(std::move(input));
  });
}

void World::LeaveSession(uint64_t number) {
  Session& session = sessions_[number];
  if (session.worker_left) return;
  session.worker_left = true;
  // What is under way arrives, perhaps after the next Attach, or is cut off.
  if (random_.Chance(0.5)) session.cut_us = std::min(session.cut_us, now_us());
  Detach(number, random_.Between(0, 3 * kSecond));
}

void World::BreakSession(uint64_t number) {
  Session& session = sessions_[number];
  if (session.worker_left) return;
  Fault("stream_break");
  session.cut_us = now_us() + (random_.Chance(0.5) ? 0 : random_.Between(0, kSecond));
  Detach(number, random_.Between(0, 5 * kSecond));
  After(random_.Between(0, 2 * kSecond),
        [worker = session.worker, number] { worker->OnStreamLost(number); });
}

// --- What is published ---

void World::Publish(absl::Span<const scheduler::JobNotice> notices) {
  for (const scheduler::JobNotice& notice : notices) {
    Trace("notice", notice.id, static_cast<uint64_t>(notice.state) << 32 | notice.change_count);
    if (notice.kind == scheduler::Change::kDeleted) continue;
    JobImage image;
    if (notice.image != nullptr) {
      image = *notice.image;
    } else if (!scheduler::DecodeUpdate(*notice.row, image).ok()) {
      continue;
    }
    image.kind = notice.job_kind;
    Tell([&](Checker& checker) { checker.OnChange(image, wall_us()); });
    if (on_change) on_change(image);
  }
  Tell([](Checker& checker) { checker.OnDrainEnd(); });
}

void World::Rebuilt(const SimulatedScheduler& from, uint64_t epoch) {
  ++counters_["rebuilds"];
  Trace("rebuilt", epoch, 0);
  Tell([epoch](Checker& checker) { checker.OnEpoch(epoch); });
  if (several()) TellWorkers(from);
  const std::vector<StoredJob> stored = Stored();
  Tell([&](Checker& checker) { checker.OnRebuilt(stored, wall_us()); });
  Tell([&](Checker& checker) { checker.OnLeasesBeginAnew(now_us()); });
  if (!on_change) return;
  for (const StoredJob& job : stored) on_change(job.image);
}

// Workers hear sooner or later that another one leads. Nothing may depend on when.
void World::TellWorkers(const SimulatedScheduler& leader) {
  for (const auto& [number, session] : sessions_) {
    if (session.scheduler == &leader || session.worker_left) continue;
    const int64_t longest_us = random_.Chance(0.3) ? 90 * kSecond : kSecond;
    After(random_.Between(0, longest_us),
          [worker = session.worker, number = number] { worker->OnStreamLost(number); });
  }
}

std::vector<StoredJob> World::Stored(JobId first, uint64_t count) const {
  std::vector<scheduler::JobRow> rows = store_.AllJobs(first, count);
  std::vector<StoredJob> stored(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    scheduler::DecodeRow(rows[i], stored[i].image).IgnoreError();
    stored[i].spec = std::move(rows[i].spec);
  }
  return stored;
}

// --- The store's faults ---

StoreFault World::DrawStoreFault(bool write) {
  StoreFault fault;
  if (!MayFail()) return fault;
  if (store_random_.Chance(0.01)) {
    Fault("store_slow");
    fault.delay = absl::Milliseconds(store_random_.Between(10, 1000));
  }
  const uint64_t draw = store_random_.Below(1000);
  if (draw < 4) {
    Fault(write ? "store_write_fails" : "store_read_fails");
    fault.kind = StoreFault::kFail;
  } else if (write && draw < 8) {
    Fault("store_commits_and_reports_failure");
    fault.kind = StoreFault::kFailAfterCommit;
  }
  return fault;
}

StoreFault World::OnWrite() { return DrawStoreFault(true); }
StoreFault World::OnRead() { return DrawStoreFault(false); }

}  // namespace switchyard::simulation
