// Fair shares: tenants that always have work waiting get device time by their weights, within 5 %
// over a long saturated run, whether jobs or interactive requests used it. Not counted is the time
// of faults and five minutes after it: what a tenant then lost is still made up for.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/profile.h"

namespace switchyard::simulation {
namespace {

constexpr double kTolerance = 0.05;
constexpr int64_t kWarmUpUs = 60'000'000;
// Shorter runs do not show a share: one long job is a part of it.
constexpr double kLeastUs = 60e6;

class FairShares final : public Checker {
 public:
  explicit FairShares(const Profile& profile) : Checker("fair_shares"), profile_(profile) {
    for (const TenantProfile& tenant : profile.tenants) {
      if (tenant.fair) weights_[tenant.settings.name] = tenant.settings.weight;
    }
  }

  void OnAccepted(const JobPlan& plan, JobId job, int64_t) override { tenants_[job] = plan.tenant; }
  void OnRun(const Site&, const AttemptRef& ref, int64_t now_us) override { begun_[ref] = now_us; }
  void OnRunEnd(const Site&, const AttemptRef& ref, int64_t now_us) override {
    const auto begun = begun_.find(ref);
    if (begun == begun_.end()) return;
    used_us_[tenants_[ref.job]] += static_cast<double>(CountedUs(begun->second, now_us));
    begun_.erase(begun);
  }
  void OnInteractive(const std::string& tenant, int64_t device_us, int64_t now_us) override {
    if (CountedUs(now_us - 1, now_us) > 0) used_us_[tenant] += static_cast<double>(device_us);
  }

  void AtEnd(const std::vector<StoredJob>&) override {
    double used_us = 0;
    double weights = 0;
    for (const auto& [tenant, weight] : weights_) {
      used_us += used_us_[tenant];
      weights += weight;
    }
    if (used_us < kLeastUs * weights) return;
    for (const auto& [tenant, weight] : weights_) {
      Look();
      const double due_us = used_us * weight / weights;
      if (std::abs(used_us_[tenant] - due_us) <= kTolerance * due_us) continue;
      Violated(absl::StrCat("tenant ", tenant, " of weight ", weight, " had ",
                            used_us_[tenant] / 1e6, " device-seconds, its share is ",
                            due_us / 1e6));
    }
  }

 private:
  int64_t CountedUs(int64_t from_us, int64_t until_us) const {
    return UndisturbedUs(profile_, std::max(from_us, kWarmUpUs),
                         std::min(until_us, profile_.fault_time_us));
  }

  const Profile& profile_;
  std::map<std::string, uint32_t> weights_;
  std::map<JobId, std::string> tenants_;
  std::map<AttemptRef, int64_t> begun_;
  std::map<std::string, double> used_us_;
};

}  // namespace

std::unique_ptr<Checker> MakeFairShares(const Profile& profile) {
  return std::make_unique<FairShares>(profile);
}

}  // namespace switchyard::simulation
