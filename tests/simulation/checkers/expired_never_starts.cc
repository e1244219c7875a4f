// Expired work never reaches a device: it is not handed out once its time has passed, and what was
// handed out before does not start afterwards. Wall clocks differ and step, by as much as
// kClocksUs.
#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kClocksUs = 45'000'000;

class ExpiredNeverStarts final : public Checker {
 public:
  ExpiredNeverStarts() : Checker("expired_never_starts") {}

  void OnAssigned(const Site&, const scheduler::AssignAttempt& attempt, int64_t wall_us) override {
    assigned_.emplace_back(attempt.ref, wall_us);
  }
  void OnChange(const JobImage& image, int64_t wall_us) override {
    wall_us_ = wall_us;
    // As it is now: a retry drops the time that has passed.
    if (image.expire_us != 0) {
      expires_[image.id] = image.expire_us;
    } else {
      expires_.erase(image.id);
    }
  }
  void OnRebuilt(const std::vector<StoredJob>& stored, int64_t wall_us) override {
    for (const StoredJob& job : stored) OnChange(job.image, wall_us);
  }
  void OnDrainEnd() override {
    for (const auto& [ref, wall_us] : assigned_) {
      const auto expire = expires_.find(ref.job);
      if (expire == expires_.end()) continue;
      Look();
      if (expire->second > wall_us) continue;
      Violated(absl::StrCat(Describe(ref), " was handed out ", wall_us - expire->second,
                            " us after it expired"));
    }
    assigned_.clear();
  }
  void OnRun(const Site& site, const AttemptRef& ref, int64_t) override {
    const auto expire = expires_.find(ref.job);
    if (expire == expires_.end()) return;
    Look();
    if (wall_us_ <= expire->second + kClocksUs) return;
    Violated(absl::StrCat(Describe(ref), " started on ", site.worker, " ",
                          wall_us_ - expire->second, " us after it expired"));
  }

 private:
  std::map<JobId, int64_t> expires_;
  std::vector<std::pair<AttemptRef, int64_t>> assigned_;  // In the drain that is being told.
  int64_t wall_us_ = 0;                                   // Of the scheduler, as last told.
};

}  // namespace

std::unique_ptr<Checker> MakeExpiredNeverStarts() { return std::make_unique<ExpiredNeverStarts>(); }

}  // namespace switchyard::simulation
