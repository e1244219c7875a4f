// A worker daemon with its runners, as the protocol knows it: it holds, starts by rank under the
// limits pushed to it, reports until acknowledged, and ends everything itself when its lease is
// over. Its clocks drift. It crashes, hangs and lies.
//
// Its lies are those a scheduler must withstand: forged and outdated fencing numbers, repeated and
// contradictory reports, absurd times. (One that runs what it was told to drop cannot be withstood
// by anybody.)
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "scheduler/engine/engine.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/simulated_memory.h"
#include "tests/simulation/world.h"

namespace switchyard::simulation {

class SimulatedWorker {
 public:
  SimulatedWorker(World& world, std::string name, std::vector<std::string> devices, int drift_ppm);

  void Connect();
  // From the network.
  void OnMessage(const scheduler::SessionOutput& message);
  void OnStreamLost(uint64_t session);

  // Faults.
  void Crash(int64_t down_us);
  // Shut down with notice: hands back what has not started, runs on for a while, and ends.
  void Drain(int64_t down_us);
  void Hang(int64_t for_us);
  void Lie();
  void CrashRunner();
  void BreakStream();
  // Its host is over its ceiling for a while.
  void BusyHost(int64_t for_us);

  const std::string& name() const { return name_; }

 private:
  struct Attempt {
    scheduler::AssignAttempt assignment;
    JobPlan plan;
    bool running = false;
    bool ending = false;    // Its end is under way.
    bool runs_out = false;  // Of memory.
    bool checkpoint_first = false;
    int64_t expire_us = 0;
    int64_t start_us = 0;
  };

  // Time on this worker's clocks.
  int64_t BootTime();
  int64_t WallTime();
  void After(int64_t delay_us, std::function<void()> what);
  void Heartbeat();
  void CheckLease();
  void ArmLease();
  void Take(const scheduler::SessionOutput& message);
  void TakeWelcome(const scheduler::WelcomeWorker& welcome);
  void TakeAssignment(const scheduler::Assignment& assignment);
  void TakeCancel(const scheduler::CancelAttempt& cancel);
  void TakeRecall(const AttemptRef& ref);
  // Stores a checkpoint and hands the attempt back.
  void GiveBack(const AttemptRef& ref);
  void StartWhatFits();
  bool StartBest(const scheduler::DeviceLimit& limit);
  void Start(Attempt& attempt);
  void Finish(const AttemptRef& ref, scheduler::Outcome outcome);
  scheduler::Outcome PlannedOutcome(const Attempt& attempt) const;
  scheduler::Finished MakeFinished(const Attempt& attempt, scheduler::Outcome outcome);
  void End(std::map<AttemptRef, Attempt>::iterator attempt);
  void EndAll();
  void Report(const AttemptRef& ref, decltype(scheduler::AttemptReport::report) report);
  void ReportAgain();
  std::vector<scheduler::AttemptReport> State() const;
  // One for each of its devices.
  std::vector<Site> SitesOf(const Attempt& attempt) const;
  bool Uses(const Attempt& attempt, const scheduler::DeviceLimit& limit) const;
  bool RoomFor(const Attempt& attempt) const;
  bool HasExpired(const Attempt& attempt);
  void TellHost();
  void TellInteractive();
  void TellServing(uint64_t session, const scheduler::ServingState& state);
  scheduler::HostFigures HostFiguresNow() const;

  World& world_;
  const std::string name_;
  const std::vector<std::string> devices_;
  const int drift_ppm_;
  int64_t wall_offset_us_;
  uint64_t incarnation_ = 1;
  bool up_ = true;
  int64_t hung_until_us_ = 0;
  std::deque<scheduler::SessionOutput> unread_;  // While it hangs.
  uint64_t session_ = 0;                         // 0: not connected.
  bool welcomed_ = false;
  int64_t hello_us_ = 0;        // Own boot clock.
  std::set<AttemptRef> told_;   // Named in the hello.
  int64_t lease_until_us_ = 0;  // Own boot clock.
  bool lease_armed_ = false;
  uint64_t heartbeats_ = 0;
  std::map<uint64_t, int64_t> heartbeat_sent_us_;
  std::map<AttemptRef, Attempt> attempts_;
  std::map<AttemptRef, scheduler::AttemptReport> unacknowledged_;
  std::vector<AttemptRef> past_;  // For lies.
  std::vector<scheduler::DeviceLimit> limits_;
  SimulatedMemory memory_;
  bool host_busy_ = false;
};

}  // namespace switchyard::simulation
