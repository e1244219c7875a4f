// How far each tenant's part of a full cluster was from what weighted fairness owes it.
//
// At a moment in which more is wanted than there is, a tenant is owed its max-min share by weight:
// no tenant is owed more than it wants (what it runs and what it has waiting), and what one leaves
// is divided among the others by weight. The meter looks at even intervals and adds up, per tenant,
// what it had minus what it was owed: a share given late is not forgiven, one given back evens out.
// The error is that sum over all that the cluster had to give in those moments: 0.05 means that a
// tenant got five hundredths of the cluster more or less than it should, all through.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

namespace switchyard::scheduler {

// What each is owed of `capacity`, by max-min fairness: `wants` and `weights` by tenant; every
// weight is above 0.
std::vector<double> MaxMinShares(const std::vector<double>& wants,
                                 const std::vector<uint32_t>& weights, double capacity);

class ShareMeter {
 public:
  explicit ShareMeter(int64_t interval_us) : interval_us_(interval_us) {}

  void SetCapacity(double capacity) { capacity_ = capacity; }
  // Before anything of a tenant. Tenants are numbers from 0; weights are above 0.
  void SetWeight(uint32_t tenant, uint32_t weight);
  // Told of every change, in order of time. `devices` may be negative: fewer.
  void Wants(uint32_t tenant, int64_t devices);
  void Has(uint32_t tenant, int64_t devices);
  // Everything until `now_us` stays as it is. To be called before the changes at `now_us`.
  void AdvanceTo(int64_t now_us);

  struct Error {
    double share = 0;       // Of the cluster, 0 to 1.
    uint32_t tenant = 0;    // Whose.
    bool short_of = false;  // It had less than it was owed.
  };
  // The worst; 0 when the cluster never was full.
  Error Worst() const;

 private:
  void Look();

  const int64_t interval_us_;
  double capacity_ = 0;
  int64_t next_look_us_ = 0;
  std::vector<uint32_t> weights_;
  std::vector<double> wants_;
  std::vector<double> has_;
  std::vector<double> beyond_;  // Sum of had minus owed, in devices times looks.
  double wanted_ = 0;
  uint64_t full_looks_ = 0;
};

}  // namespace switchyard::scheduler
