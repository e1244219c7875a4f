#include "scheduler/core/charges.h"

#include <algorithm>
#include <utility>

#include "scheduler/policy/fair_share.h"
#include "scheduler/policy/quota.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kSweepUs = 1'000'000;
constexpr double kMicrosecondsPerSecond = 1e6;

}  // namespace

uint32_t Charges::Growth() const {
  return GrowthAfter(std::min(now_.boot_us - grown_since_us_, half_life_us_), half_life_us_);
}

void Charges::Add(Tenant& tenant, int64_t device_us) {
  const uint32_t weight = weights_ignored_ ? 1 : tenant.settings.weight;
  tenant.charge += ChargeFor(device_us, weight, Growth());
}

void Charges::Promise(uint32_t number, int64_t device_us) {
  Accrue(number);
  Tenant& tenant = accounts_.tenant(number);
  tenant.promised_us += device_us;
  const int64_t more_us = std::max<int64_t>(tenant.promised_us - tenant.prepaid_us, 0);
  tenant.prepaid_us += more_us;
  // At least a little, so that tenants take turns while nothing is known of their jobs.
  Add(tenant, more_us);
}

void Charges::Resume(uint32_t number, int64_t device_us) {
  Tenant& tenant = accounts_.tenant(number);
  tenant.promised_us += device_us;
  tenant.prepaid_us += device_us;
}

void Charges::Fulfil(uint32_t number, int64_t device_us) {
  accounts_.tenant(number).promised_us -= device_us;
}

void Charges::Start(uint32_t number) {
  Accrue(number);
  ++accounts_.tenant(number).running_devices;
}

void Charges::Stop(uint32_t number) {
  Accrue(number);
  --accounts_.tenant(number).running_devices;
}

void Charges::Accrue(uint32_t number) {
  Tenant& tenant = accounts_.tenant(number);
  const int64_t elapsed_us = now_.boot_us - tenant.settled_us;
  tenant.settled_us = now_.boot_us;
  if (tenant.running_devices > 0 && elapsed_us > 0) {
    Count(number, elapsed_us * tenant.running_devices);
  }
}

void Charges::Use(uint32_t number, int64_t device_us) {
  if (device_us > 0) Count(number, device_us);
}

void Charges::Count(uint32_t number, int64_t device_us) {
  Tenant& tenant = accounts_.tenant(number);
  const bool had_time = !DayUsedUp(tenant.used_today_us, tenant.settings.device_seconds_per_day);
  tenant.used_today_us += device_us;
  if (had_time && DayUsedUp(tenant.used_today_us, tenant.settings.device_seconds_per_day)) {
    turned_.push_back(number);
  }
  const int64_t paid_us = std::min(tenant.prepaid_us, device_us);
  tenant.prepaid_us -= paid_us;
  if (device_us > paid_us) Add(tenant, device_us - paid_us);
}

void Charges::Return(uint32_t number) {
  Tenant& tenant = accounts_.tenant(number);
  const uint64_t newest = samples_[(sample_ + kSamples - 1) % kSamples];
  tenant.charge = ChargeOnReturn(tenant.charge, newest, samples_[sample_]);
}

bool Charges::Sweep() {
  if (now_.boot_us < next_sweep_us_ && begun_) return false;
  if (!begun_) {
    begun_ = true;
    grown_since_us_ = now_.boot_us;
    day_ = DayOf(now_.wall_us);
  }
  next_sweep_us_ = now_.boot_us + kSweepUs;
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) Accrue(i);
  if (DayOf(now_.wall_us) != day_) NewDay();
  const bool halved = Renormalise();
  if (now_.boot_us >= next_sample_us_) Sample();
  return halved;
}

bool Charges::Renormalise() {
  if (half_life_us_ <= 0) return false;
  const int64_t halvings = (now_.boot_us - grown_since_us_) / half_life_us_;
  if (halvings <= 0) return false;
  const int64_t shift = std::min<int64_t>(halvings, 63);
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) accounts_.tenant(i).charge >>= shift;
  for (uint64_t& sample : samples_) sample >>= shift;
  grown_since_us_ += halvings * half_life_us_;
  return true;
}

void Charges::NewDay() {
  day_ = DayOf(now_.wall_us);
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) {
    Tenant& tenant = accounts_.tenant(i);
    if (DayUsedUp(tenant.used_today_us, tenant.settings.device_seconds_per_day)) {
      turned_.push_back(i);
    }
    tenant.used_today_us = 0;
  }
}

void Charges::Sample() {
  next_sample_us_ = now_.boot_us + std::max<int64_t>(idle_credit_us_ / kSamples, kSweepUs);
  uint64_t least = UINT64_MAX;
  uint64_t least_running = UINT64_MAX;
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) {
    const Tenant& tenant = accounts_.tenant(i);
    if (tenant.offered > 0) least = std::min(least, tenant.charge);
    if (tenant.running_devices > 0) least_running = std::min(least_running, tenant.charge);
  }
  if (least == UINT64_MAX) least = least_running;
  // Nobody is there to compare with: it stays.
  if (least == UINT64_MAX) least = samples_[(sample_ + kSamples - 1) % kSamples];
  samples_[sample_] = least;
  sample_ = (sample_ + 1) % kSamples;
}

std::vector<uint32_t> Charges::TakeTurned() { return std::exchange(turned_, {}); }

int64_t Charges::NextTurn() const {
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) {
    const Tenant& tenant = accounts_.tenant(i);
    if (tenant.waiting > 0 &&
        DayUsedUp(tenant.used_today_us, tenant.settings.device_seconds_per_day)) {
      return EndOfDay(now_.wall_us);
    }
  }
  return kNever;
}

void Charges::Save(PolicyState& state) const {
  const int64_t grown_us = now_.boot_us - grown_since_us_;
  state.wall_us = now_.wall_us;
  state.least_charged =
      Decayed(samples_[(sample_ + kSamples - 1) % kSamples], grown_us, half_life_us_);
  for (uint32_t i = 0; i < accounts_.tenants(); ++i) {
    const Tenant& tenant = accounts_.tenant(i);
    if (tenant.charge == 0 && tenant.used_today_us == 0) continue;
    state.tenants.push_back({.name = tenant.settings.name,
                             .charge = Decayed(tenant.charge, grown_us, half_life_us_),
                             .day = day_,
                             .used_us = tenant.used_today_us});
  }
}

void Charges::Restore(const PolicyState& state) {
  begun_ = true;
  grown_since_us_ = now_.boot_us;
  day_ = DayOf(now_.wall_us);
  // A wall clock that stepped back decays nothing.
  const int64_t elapsed_us = std::max<int64_t>(0, now_.wall_us - state.wall_us);
  samples_.fill(Decayed(state.least_charged, elapsed_us, half_life_us_));
  for (const TenantUse& use : state.tenants) {
    Tenant& tenant = accounts_.tenant(accounts_.TenantNumber(use.name));
    tenant.charge = Decayed(use.charge, elapsed_us, half_life_us_);
    tenant.used_today_us = use.day == day_ ? use.used_us : 0;
  }
}

double Charges::Seconds(uint64_t charge) const {
  return static_cast<double>(charge) * kNoGrowth / Growth() / kChargeUnits / kMicrosecondsPerSecond;
}

}  // namespace switchyard::scheduler
