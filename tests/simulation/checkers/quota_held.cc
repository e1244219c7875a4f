// Quota held: no tenant uses more devices at once than it may, and one that always has work waiting
// gets the devices it is guaranteed.
#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/profile.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kWarmUpUs = 60'000'000;
// Between two of its jobs a device may be another's for as long as that one's job runs.
constexpr double kLeastOfGuarantee = 0.5;

class QuotaHeld final : public Checker {
 public:
  explicit QuotaHeld(const Profile& profile) : Checker("quota_held"), profile_(profile) {
    for (const TenantProfile& tenant : profile.tenants) {
      use_[tenant.settings.name].settings = tenant.settings;
    }
  }

  void OnAccepted(const JobPlan& plan, JobId job, int64_t) override { tenants_[job] = plan.tenant; }
  void OnRun(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    Use& use = use_[tenants_[ref.job]];
    Settle(use, now_us);
    ++use.running;
    if (use.settings.max_running == 0) return;
    Look();
    if (use.running <= use.settings.max_running) return;
    Violated(absl::StrCat("tenant ", use.settings.name, " runs ", Describe(ref), " on ",
                          site.worker, " as number ", use.running, " of at most ",
                          use.settings.max_running));
  }
  void OnRunEnd(const Site&, const AttemptRef& ref, int64_t now_us) override {
    Use& use = use_[tenants_[ref.job]];
    Settle(use, now_us);
    --use.running;
  }

  void AtEnd(const std::vector<StoredJob>&) override {
    for (const auto& [name, use] : use_) {
      const double due_us = static_cast<double>(use.settings.guaranteed_running) *
                            CountedUs(0, profile_.fault_time_us);
      if (due_us <= 0) continue;
      Look();
      if (static_cast<double>(use.used_us) >= kLeastOfGuarantee * due_us) continue;
      Violated(absl::StrCat("tenant ", name, " had ", use.used_us / 1e6,
                            " device-seconds and is guaranteed ", due_us / 1e6));
    }
  }

 private:
  struct Use {
    scheduler::TenantSettings settings;
    uint32_t running = 0;
    int64_t settled_us = 0;
    int64_t used_us = 0;
  };

  void Settle(Use& use, int64_t now_us) {
    use.used_us += CountedUs(use.settled_us, now_us) * use.running;
    use.settled_us = now_us;
  }
  // While workers are away nobody can have what is guaranteed.
  int64_t CountedUs(int64_t from_us, int64_t until_us) const {
    return UndisturbedUs(profile_, std::max(from_us, kWarmUpUs),
                         std::min(until_us, profile_.fault_time_us));
  }

  const Profile& profile_;
  std::map<JobId, std::string> tenants_;
  std::map<std::string, Use> use_;
};

}  // namespace

std::unique_ptr<Checker> MakeQuotaHeld(const Profile& profile) {
  return std::make_unique<QuotaHeld>(profile);
}

}  // namespace switchyard::simulation
