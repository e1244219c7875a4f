// No starvation: every job that nothing but others' work keeps waiting starts within the bound of
// docs/policies/ordering.md, whatever its priority.
#include <set>

#include "absl/strings/str_cat.h"
#include "scheduler/policy/waiting_bound.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/job_plan.h"
#include "tests/simulation/profile.h"

namespace switchyard::simulation {
namespace {

class NoStarvation final : public Checker {
 public:
  explicit NoStarvation(const Profile& profile) : Checker("no_starvation"), profile_(profile) {
    for (const auto& devices : profile.workers) places_ += static_cast<uint32_t>(devices.size());
    for (const TenantProfile& tenant : profile.tenants) {
      tenants_[tenant.settings.name] = &tenant;
      weights_ += tenant.settings.weight;
      guaranteed_ += tenant.settings.guaranteed_running;
    }
  }

  void OnAccepted(const JobPlan& plan, JobId job, int64_t now_us) override {
    const auto tenant = tenants_.find(plan.tenant);
    if (tenant == tenants_.end()) return;
    jobs_[job] = {tenant->second, plan.run_us, now_us, work_us_[plan.tenant]};
    work_us_[plan.tenant] += plan.run_us;
  }

  void OnRun(const Site&, const AttemptRef& ref, int64_t now_us) override {
    const auto found = jobs_.find(ref.job);
    if (found == jobs_.end() || !started_.insert(ref.job).second) return;
    const Job& job = found->second;
    work_us_[job.tenant->settings.name] -= job.run_us;
    // The bound holds while places stay.
    const int64_t waited_us = now_us - job.accepted_us;
    if (UndisturbedUs(profile_, job.accepted_us, now_us) == waited_us) Check(ref, job, waited_us);
  }

 private:
  struct Job {
    const TenantProfile* tenant = nullptr;
    int64_t run_us = 0;
    int64_t accepted_us = 0;
    int64_t own_work_us = 0;  // Of its tenant's jobs before it.
  };

  void Check(const AttemptRef& ref, const Job& job, int64_t waited_us) {
    const scheduler::TenantSettings& settings = job.tenant->settings;
    // Held back by its own tenant's cap, not by others.
    if (settings.max_running != 0 || job.tenant->priority <= 2) return;
    Look();
    const int64_t bound_us =
        scheduler::WaitingBound({.priority = job.tenant->priority,
                                 .ageing_interval_us = profile_.ageing_interval_us,
                                 .urgent_share_percent = profile_.urgent_share_percent,
                                 .idle_credit_us = profile_.idle_credit_us,
                                 .places = places_ - (guaranteed_ - settings.guaranteed_running),
                                 .weight = settings.weight,
                                 .all_weights = weights_,
                                 .tenants = static_cast<uint32_t>(tenants_.size()),
                                 .own_work_us = job.own_work_us,
                                 .longest_us = kLongestSteadyUs});
    if (waited_us <= bound_us) return;
    Violated(absl::StrCat(Describe(ref), " of tenant ", settings.name, ", priority ",
                          job.tenant->priority, ", waited ", waited_us / 1e6, " s, the bound is ",
                          bound_us / 1e6));
  }

  const Profile& profile_;
  uint32_t places_ = 0;
  uint32_t weights_ = 0;
  uint32_t guaranteed_ = 0;
  std::map<std::string, const TenantProfile*> tenants_;
  std::map<std::string, int64_t> work_us_;  // Of jobs accepted and not started.
  std::map<JobId, Job> jobs_;
  std::set<JobId> started_;
};

}  // namespace

std::unique_ptr<Checker> MakeNoStarvation(const Profile& profile) {
  return std::make_unique<NoStarvation>(profile);
}

}  // namespace switchyard::simulation
