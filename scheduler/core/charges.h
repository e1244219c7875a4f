// Who used how much: keeps tenants' charges and their use of the day while work runs. Internal to
// the core.
//
// A tenant is charged for what is expected when an attempt is handed out (so that one drain does
// not give it everything), and from then on by the clock: a sum of running devices for each tenant,
// no timer for each attempt, so a training of ten hours is charged all along. What was charged
// ahead is used up first; nobody pays twice.
//
// Not thread-safe. Borrows the accounts.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "scheduler/core/accounts.h"
#include "scheduler/core/policy_state.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

class Charges {
 public:
  // Microseconds; `half_life_us` 0: charges never decay; `weights_ignored` is
  // PlantedBugs::weights_ignored.
  Charges(Accounts& accounts, int64_t half_life_us, int64_t idle_credit_us, bool weights_ignored)
      : accounts_(accounts),
        half_life_us_(half_life_us),
        idle_credit_us_(idle_credit_us),
        weights_ignored_(weights_ignored) {}

  // The time of all that follows. Never goes back.
  void SetTime(const Now& now) { now_ = now; }

  // An attempt is handed out that is expected to use this device time; it has ended.
  void Promise(uint32_t tenant, int64_t device_us);
  void Fulfil(uint32_t tenant, int64_t device_us);
  // The same for an attempt from before a restart: it was charged then.
  void Resume(uint32_t tenant, int64_t device_us);
  // Work begins on one device; it ends there.
  void Start(uint32_t tenant);
  void Stop(uint32_t tenant);
  // Device time used besides: by work that began and ended before it was heard of, and by requests
  // that are no jobs.
  void Use(uint32_t tenant, int64_t device_us);
  // The tenant begins to wait.
  void Return(uint32_t tenant);

  // Brings all up to now, where that was not done for a second. True: all charges were halved, and
  // every tenant's place in the order is to be set again.
  bool Sweep();
  // Tenants whose time of the day was used up, or is to be had again, since the last call.
  std::vector<uint32_t> TakeTurned();
  // Wall clock: when a tenant's time of the day is to be had again; kNever: none waits for it.
  int64_t NextTurn() const;

  // What is kept over restarts, of the tenants. Restore before anything is charged.
  void Save(PolicyState& state) const;
  void Restore(const PolicyState& state);

  // What a unit of device time weighs now, beside what was charged earlier (fair_share.h).
  uint32_t Growth() const;

  // For people: decayed device-seconds over weight.
  double Seconds(uint64_t charge) const;

 private:
  static constexpr size_t kSamples = 8;

  void Add(Tenant& tenant, int64_t device_us);
  void Accrue(uint32_t tenant);
  void Count(uint32_t tenant, int64_t device_us);
  bool Renormalise();
  void NewDay();
  void Sample();

  Accounts& accounts_;
  const int64_t half_life_us_;
  const int64_t idle_credit_us_;
  const bool weights_ignored_;
  Now now_;
  int64_t grown_since_us_ = 0;  // Boot clock: when growth was one.
  bool begun_ = false;
  int64_t next_sweep_us_ = 0;   // Boot clock.
  int64_t next_sample_us_ = 0;  // Boot clock.
  int64_t day_ = 0;
  // Charge of the least charged that waited, a ring: the oldest stands at `sample_`.
  std::array<uint64_t, kSamples> samples_ = {};
  size_t sample_ = 0;
  std::vector<uint32_t> turned_;
};

}  // namespace switchyard::scheduler
