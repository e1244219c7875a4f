// Urgent share kept: on a site where others always wait, priorities 1 and 2 together get no more of
// the device time than their configured share, within 5 points over a long run. Not counted is the
// time of faults and five minutes after it: what ran then and was lost, the scheduler never heard
// of.
#include "absl/strings/str_cat.h"
#include "scheduler/policy/urgent_share.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/profile.h"

namespace switchyard::simulation {
namespace {

constexpr double kTolerance = 0.05;
constexpr int64_t kWarmUpUs = 60'000'000;

class UrgentShareKept final : public Checker {
 public:
  explicit UrgentShareKept(const Profile& profile)
      : Checker("urgent_share_kept"), profile_(profile) {}

  void OnAccepted(const JobPlan& plan, JobId job, int64_t) override {
    urgent_[job] = plan.job.priority <= scheduler::kLeastUrgentOfUrgent;
  }
  void OnRun(const Site&, const AttemptRef& ref, int64_t now_us) override { begun_[ref] = now_us; }
  void OnRunEnd(const Site&, const AttemptRef& ref, int64_t now_us) override {
    const auto begun = begun_.find(ref);
    if (begun == begun_.end()) return;
    const int64_t from_us = std::max(begun->second, kWarmUpUs);
    const int64_t until_us = std::min(now_us, profile_.fault_time_us);
    used_us_[urgent_[ref.job]] += UndisturbedUs(profile_, from_us, until_us);
    begun_.erase(begun);
  }

  void AtEnd(const std::vector<StoredJob>&) override {
    const auto urgent_us = static_cast<double>(used_us_[1]);
    const double all_us = urgent_us + static_cast<double>(used_us_[0]);
    if (all_us <= 0 || profile_.urgent_share_percent >= 100) return;
    Look();
    const double most = profile_.urgent_share_percent / 100.0 + kTolerance;
    if (urgent_us <= most * all_us) return;
    Violated(absl::StrCat("urgent work had ", 100 * urgent_us / all_us,
                          " % of the device time while others waited, its share is ",
                          profile_.urgent_share_percent, " %"));
  }

 private:
  const Profile& profile_;
  std::map<JobId, bool> urgent_;
  std::map<AttemptRef, int64_t> begun_;
  int64_t used_us_[2] = {};  // Of other work, of urgent work.
};

}  // namespace

std::unique_ptr<Checker> MakeUrgentShareKept(const Profile& profile) {
  return std::make_unique<UrgentShareKept>(profile);
}

}  // namespace switchyard::simulation
