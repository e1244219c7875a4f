// The simulated world: one thread, one list of things to happen, one clock. It holds the scheduler
// under test (the real engine and core over the faulty memory store), the network between it and
// the workers, and what the checkers watch.
//
// Time is the world's microseconds; it is also the boot clock of the scheduler's machine. The
// scheduler's wall clock steps. Deterministic: a seed is a run. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "scheduler/engine/engine.h"
#include "scheduler/store/memory_lease_store.h"
#include "scheduler/store/memory_store.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/profile.h"
#include "tests/simulation/random.h"
#include "tests/simulation/simulated_scheduler.h"

namespace switchyard::simulation {

struct SimulationOptions {
  uint64_t seed = 1;
  scheduler::PlantedBugs bugs;
  bool reply_before_commit = false;  // Planted bugs of the engine...
  bool no_urgent_share = false;      // ... urgent work goes first without bound...
  bool acts_after_its_lease = false;
  bool believes_old_leaders = false;  // ... of the workers, which take messages of a lower epoch...
  bool takes_old_commits = false;     // ... and of the store, which does not look at the epoch.
  const Profile* profile = nullptr;   // Null: ProfileForSeed(seed).
};

// Of the simulated scheduler: shorter than in the product, as simulated jobs are.
inline constexpr int64_t kMinRunUs = 6'000'000;
inline constexpr int64_t kPreemptionGraceUs = 3'000'000;

class SimulatedWorker;

// How often something happened: faults (`fault.` in front) and what else a run wants to show.
using Counters = std::map<std::string, uint64_t>;

class World final : public scheduler::StoreFaults {
 public:
  explicit World(const SimulationOptions& options);
  ~World() override;

  // --- Time ---
  int64_t now_us();
  int64_t wall_us();
  void After(int64_t delay_us, std::function<void()> what);
  // Runs until `until_us`, or until `done` says so (looked at between events).
  void Run(int64_t until_us, const std::function<bool()>& done);
  bool faulty() { return now_us() < profile_.fault_time_us; }
  // Whether anything may fail now.
  bool MayFail() {
    const bool over = profile_.faults_until_us != 0 && now_us() >= profile_.faults_until_us;
    return profile_.faults && faulty() && !over && now_us() >= profile_.faults_from_us;
  }

  // --- The network. A session is one Attach stream. ---
  uint64_t OpenSession(SimulatedWorker* worker);
  // From a worker; arrives in order within its session, or never.
  void ToScheduler(uint64_t session, scheduler::Event event);
  // The worker is done with it; what is under way may still arrive for a while.
  void LeaveSession(uint64_t session);
  void Command(scheduler::Input input);

  // --- Faults of the surroundings ---
  void BreakSession(uint64_t session);
  void CrashScheduler(int64_t down_us);
  // Of sites with several: one of them is frozen or cut off from the store.
  void DisturbAScheduler();
  void StepWallClock(int64_t by_us);
  // What tenants have and use, as the scheduler publishes it.
  std::shared_ptr<const scheduler::AccountsView> accounts() const;
  void Fault(const std::string& what) { ++counters_["fault." + what]; }

  void AddChecker(std::unique_ptr<Checker> checker) { checkers_.push_back(std::move(checker)); }
  template <class Call>
  void Tell(Call call) {
    for (const auto& checker : checkers_) call(*checker);
  }
  const std::vector<std::unique_ptr<Checker>>& checkers() const { return checkers_; }

  // Jobs as they are stored, those with ids from `first` on.
  std::vector<StoredJob> Stored(JobId first = 0, uint64_t count = UINT64_MAX) const;
  Random& random() { return random_; }
  Counters& counters() { return counters_; }
  const SimulationOptions& options() const { return options_; }
  const Profile& profile() const { return profile_; }
  uint64_t events() const { return events_; }
  void Trace(absl::string_view what, uint64_t a, uint64_t b);
  uint64_t trace_hash() const { return trace_; }
  std::function<void(const JobImage&)> on_change;  // The client's ear.

  // --- For the schedulers ---
  Clock& clock() { return clock_; }
  // Lets time pass to it, when it has not.
  void AdvanceTo(int64_t time_us);
  // Tells the checkers how many lead by their own clocks.
  void CheckLeaders();
  void Send(const SimulatedScheduler& from, uint64_t epoch, scheduler::SessionOutput output);
  void Publish(absl::Span<const scheduler::JobNotice> notices);
  void Rebuilt(const SimulatedScheduler& from, uint64_t epoch);
  // StoreFaults
  scheduler::StoreFault OnWrite() override;
  scheduler::StoreFault OnRead() override;

 private:
  struct Session {
    SimulatedWorker* worker = nullptr;
    SimulatedScheduler* scheduler = nullptr;
    int64_t cut_us = scheduler::kNever;  // Nothing arrives at the scheduler after this.
    int64_t last_up_us = 0;
    int64_t last_down_us = 0;
    bool worker_left = false;
    bool detached = false;  // The scheduler was told.
  };
  struct Happening {
    int64_t at_us;
    uint64_t sequence;
    std::function<void()> what;
    bool operator<(const Happening& other) const {
      return at_us != other.at_us ? at_us > other.at_us : sequence > other.sequence;
    }
  };

  bool several() const { return schedulers_.size() > 1; }
  // Whom workers and callers take for the leader: mostly rightly.
  SimulatedScheduler& Leader();
  SimulatedScheduler& AnyScheduler();
  void Detach(uint64_t session, int64_t delay_us);
  void TellWorkers(const SimulatedScheduler& leader);
  int64_t Latency();
  scheduler::StoreFault DrawStoreFault(bool write);

  const SimulationOptions options_;
  const Profile profile_;
  Random random_;
  Random store_random_;
  FakeClock clock_;
  scheduler::MemoryStore store_;
  std::unique_ptr<scheduler::JobStore> careless_store_;  // With a planted bug, in front of store_.
  scheduler::MemoryLeaseStore leases_{store_, clock_};
  std::vector<std::unique_ptr<SimulatedScheduler>> schedulers_;
  std::map<const SimulatedWorker*, uint64_t> epochs_seen_;
  std::vector<Happening> happenings_;  // A heap.
  std::map<uint64_t, Session> sessions_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  Counters counters_;
  uint64_t sequence_ = 0;
  uint64_t next_session_ = 1;
  uint64_t events_ = 0;
  uint64_t trace_ = 0xCBF29CE484222325u;
};

}  // namespace switchyard::simulation
