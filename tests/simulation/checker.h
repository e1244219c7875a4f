// What a checker is: it sees what truly happens in a run and says when a promise is broken. Each
// promise has a file of its own under checkers/. A checker counts its looks, so that a run can show
// that it did look.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "scheduler/core/effects.h"
#include "scheduler/core/image.h"
#include "tests/simulation/job_plan.h"
#include "tests/simulation/profile.h"

namespace switchyard::simulation {

using scheduler::AttemptRef;
using scheduler::JobImage;

// A device of a worker as an attempt uses it.
struct Site {
  std::string worker;
  std::string device;
  scheduler::JobClass job_class;
  friend auto operator<=>(const Site&, const Site&) = default;
};

// A job in the store when all is over.
struct StoredJob {
  JobImage image;
  std::string spec;
};

class Checker {
 public:
  explicit Checker(std::string name) : name_(std::move(name)) {}
  virtual ~Checker() = default;

  // An attempt runs, or no longer does, on a worker: the truth, whatever anybody was told. Time:
  // the world's.
  virtual void OnRun(const Site&, const AttemptRef&, int64_t /*now_us*/) {}
  virtual void OnRunEnd(const Site&, const AttemptRef&, int64_t /*now_us*/) {}
  // A client was told that a job is accepted, cancelled (as the job then was), deleted.
  virtual void OnAccepted(const JobPlan&, JobId, int64_t /*now_us*/) {}
  virtual void OnCancelAnswered(const JobPlan&, const JobImage&) {}
  virtual void OnRetryAnswered(JobId) {}
  virtual void OnDeleted(JobId) {}
  // A change was committed and published. `wall_us` is the scheduler's clock.
  virtual void OnChange(const JobImage&, int64_t /*wall_us*/) {}
  // All changes of a drain were told.
  virtual void OnDrainEnd() {}
  // The scheduler lost its memory and read the store again: what was not published may have
  // changed.
  virtual void OnRebuilt(const std::vector<StoredJob>&, int64_t /*wall_us*/) {}
  // As OnRebuilt, for those who only want to know when: every attempt is given a lease anew.
  virtual void OnLeasesBeginAnew(int64_t /*now_us*/) {}
  // An attempt was handed to a worker. `wall_us`: when the drain that decided it began.
  virtual void OnAssigned(const Site&, const scheduler::AssignAttempt&, int64_t /*wall_us*/) {}
  // A worker was told to end an attempt, or asked to.
  virtual void OnCancelSent(const std::string& /*worker*/, const scheduler::CancelAttempt&,
                            int64_t /*now_us*/) {}
  // A holder (an attempt, a serving runner) now holds so much of a device's or a host's memory.
  virtual void OnHolds(const std::string& /*memory*/, int64_t /*total_bytes*/,
                       const std::string& /*holder*/, int64_t /*bytes*/) {}
  // Requests of a tenant that are no jobs used so much of a device.
  virtual void OnInteractive(const std::string& /*tenant*/, int64_t /*device_us*/,
                             int64_t /*now_us*/) {}
  // The client was told that a worker is cordoned; it asks to lift that.
  virtual void OnCordon(const std::string& /*worker*/, bool /*cordoned*/) {}
  // From when a drain is asked until its lift is answered, what a worker runs may be asked to end.
  virtual void OnDrain(const std::string& /*worker*/, bool /*drained*/) {}
  virtual void OnLimits(const std::vector<scheduler::LimitRule>&, int64_t /*now_us*/) {}
  // How many schedulers lead, each by its own clock.
  virtual void OnLeaders(int /*leading*/) {}
  // A scheduler built its core under this epoch and decides from now on.
  virtual void OnEpoch(uint64_t /*epoch*/) {}
  // The end. Faults stopped long ago.
  virtual void AtEnd(const std::vector<StoredJob>&) {}

  const std::string& name() const { return name_; }
  uint64_t looks() const { return looks_; }
  const std::vector<std::string>& violations() const { return violations_; }

 protected:
  void Look() { ++looks_; }
  void Violated(std::string what) {
    if (violations_.size() < kViolationsKept) violations_.push_back(std::move(what));
  }

 private:
  static constexpr size_t kViolationsKept = 5;
  std::string name_;
  uint64_t looks_ = 0;
  std::vector<std::string> violations_;
};

std::string Describe(const AttemptRef& ref);

std::unique_ptr<Checker> MakeNoJobLost();
std::unique_ptr<Checker> MakeOneAttemptRuns();
std::unique_ptr<Checker> MakeNoDeviceOverLimit();
std::unique_ptr<Checker> MakeNoStaleResult();
std::unique_ptr<Checker> MakeOrderKept();
std::unique_ptr<Checker> MakeEveryJobEnds();
std::unique_ptr<Checker> MakeCancelHolds();
std::unique_ptr<Checker> MakeGangsAllOrNone();
std::unique_ptr<Checker> MakeNoEarlyPreemption();
std::unique_ptr<Checker> MakeExpiredNeverStarts();
std::unique_ptr<Checker> MakeOneLeader();
// For calm sites only. `workers`: the profile's.
std::unique_ptr<Checker> MakeReservationKept(const std::vector<std::vector<std::string>>& workers);
std::unique_ptr<Checker> MakeDependenciesKept();
std::unique_ptr<Checker> MakeArrayWidthKept();
std::unique_ptr<Checker> MakeNoDeviceOutOfMemory();
std::unique_ptr<Checker> MakeOutOfMemoryEnds();
std::unique_ptr<Checker> MakeCordonHolds();
// Of profiles with tenants; the profile outlives them.
std::unique_ptr<Checker> MakeFairShares(const Profile& profile);
std::unique_ptr<Checker> MakeUrgentShareKept(const Profile& profile);
std::unique_ptr<Checker> MakeNoStarvation(const Profile& profile);
std::unique_ptr<Checker> MakeQuotaHeld(const Profile& profile);

}  // namespace switchyard::simulation
