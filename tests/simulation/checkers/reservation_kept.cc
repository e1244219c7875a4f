// A gang that waits is not held up by less urgent work that was let past it: whenever the devices
// that such work holds and the free ones would be enough for it, it starts within the error of the
// estimates. Only for sites where run times are what they are expected to be and one tenant
// submits, so that who comes first is known.
#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "scheduler/policy/limits.h"
#include "scheduler/policy/placement.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

using scheduler::JobState;

// Of expected run times, and of the way of the messages.
constexpr int64_t kErrorUs = 15'000'000;
// What is expected has to be learned first, of every model; and what began before that, or was let
// past a gang for what was wrongly expected of it, has ended after twice the longest run.
constexpr size_t kModels = 2;
constexpr int64_t kSettledUs = 2 * 60'000'000;
// Work that was decided on before the gang was seen to wait is not let past it.
constexpr int64_t kWindowUs = 1'000'000;

class ReservationKept final : public Checker {
 public:
  explicit ReservationKept(const std::vector<std::vector<std::string>>& workers)
      : Checker("reservation_kept") {
    for (size_t i = 0; i < workers.size(); ++i) {
      for (const std::string& device : workers[i]) {
        devices_.emplace_back(absl::StrCat("w", i + 1), device);
      }
    }
  }

  void OnAccepted(const JobPlan& plan, JobId job, int64_t) override { plans_[job] = plan; }
  void OnChange(const JobImage& image, int64_t) override {
    if (image.state == JobState::kSucceeded && plans_.contains(image.id))
      Learned(plans_.at(image.id).job.model_key);
    const bool handed_out = !image.attempts.empty() &&
                            image.attempts.back().outcome == scheduler::Outcome::kUnspecified;
    if (image.state == JobState::kQueued && !handed_out && image.device_count > 1) {
      waiting_.try_emplace(image.id, now_us_);
    } else {
      waiting_.erase(image.id);
    }
  }
  void OnRun(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    running_[site][ref.job] = now_us;
    LookAt(now_us);
  }
  void OnRunEnd(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    running_[site].erase(ref.job);
    LookAt(now_us);
  }

 private:
  // Of the gangs that wait, the one that comes first: from then on nothing may be let past it that
  // would hold it up. (Those behind it are promised nothing yet.)
  const std::pair<const JobId, int64_t>* First() const {
    const std::pair<const JobId, int64_t>* first = nullptr;
    for (const auto& gang : waiting_) {
      if (first == nullptr || Before(gang.first, first->first)) first = &gang;
    }
    return first;
  }
  bool Before(JobId a, JobId b) const {
    const auto plan_a = plans_.find(a);
    const auto plan_b = plans_.find(b);
    if (plan_a == plans_.end() || plan_b == plans_.end()) return a < b;
    const uint8_t of_a = plan_a->second.job.priority;
    const uint8_t of_b = plan_b->second.job.priority;
    return of_a != of_b ? of_a < of_b : a < b;
  }

  void Learned(const std::string& model) {
    models_.insert(model);
    if (models_.size() == kModels) learned_us_ = std::min(learned_us_, now_us_);
  }

  void LookAt(int64_t now_us) {
    now_us_ = now_us;
    const auto* gang = First();
    if (gang == nullptr || !plans_.contains(gang->first) || now_us - learned_us_ < kSettledUs) {
      enough_since_us_ = 0;
      return;
    }
    if (gang->first != first_) {
      first_ = gang->first;
      first_since_us_ = now_us;
      enough_since_us_ = 0;
    }
    const uint32_t needed = plans_.at(first_).job.device_count;
    Look();
    if (Available(first_, std::max(gang->second, first_since_us_)) < needed) {
      enough_since_us_ = 0;
      return;
    }
    if (enough_since_us_ == 0) enough_since_us_ = now_us;
    if (now_us - enough_since_us_ <= kErrorUs) return;
    Violated(absl::StrCat("job ", FormatJobId(gang->first), " waits for ", needed,
                          " devices, which are free or taken by less urgent work since ",
                          now_us - enough_since_us_, " us"));
    enough_since_us_ = 0;
  }

  // Devices that are free, or would be had nothing been let past the gang.
  uint32_t Available(JobId gang, int64_t since_us) const {
    const JobPlan& plan = plans_.at(gang);
    const auto job_class =
        plan.kind == kTrain ? scheduler::JobClass::kTraining : scheduler::JobClass::kInference;
    uint32_t available = 0;
    for (const auto& [worker, device] : devices_) {
      if (!scheduler::DeviceMatches(plan.job.device, device)) continue;
      const auto site = running_.find({worker, device, job_class});
      uint32_t others = 0;
      if (site != running_.end()) {
        for (const auto& [job, start_us] : site->second) {
          others += start_us < since_us + kWindowUs || Before(job, gang);
        }
      }
      available += others < scheduler::DefaultLimit(device, job_class);
    }
    return available;
  }

  std::vector<std::pair<std::string, std::string>> devices_;  // Worker, device.
  std::map<JobId, JobPlan> plans_;
  std::map<JobId, int64_t> waiting_;  // Gangs; since when.
  std::map<Site, std::map<JobId, int64_t>> running_;
  std::set<std::string> models_;  // Of which one has run to its end.
  int64_t learned_us_ = scheduler::kNever;
  int64_t now_us_ = 0;
  JobId first_ = 0;
  int64_t first_since_us_ = 0;
  int64_t enough_since_us_ = 0;
};

}  // namespace

std::unique_ptr<Checker> MakeReservationKept(const std::vector<std::vector<std::string>>& workers) {
  return std::make_unique<ReservationKept>(workers);
}

}  // namespace switchyard::simulation
