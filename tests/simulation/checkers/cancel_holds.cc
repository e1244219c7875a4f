// A cancel that was answered holds: the job is CANCELLED or being cancelled then, and ends so,
// unless it is retried.
#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

using scheduler::JobState;

class CancelHolds final : public Checker {
 public:
  CancelHolds() : Checker("cancel_holds") {}

  void OnCancelAnswered(const JobPlan& plan, const JobImage& image) override {
    Look();
    // A job whose deadline or timeout came first ends as that one says.
    if (plan.has_deadline) return;
    if (!scheduler::HasEnded(image.state) && image.state != JobState::kCancelling) {
      Violated(absl::StrCat("a cancel of ", FormatJobId(image.id),
                            " was answered and nothing came of it"));
    }
    if (image.state == JobState::kCancelling || image.state == JobState::kCancelled) {
      cancelled_[image.id] = true;
    }
  }
  void OnRetryAnswered(JobId job) override { cancelled_.erase(job); }
  void AtEnd(const std::vector<StoredJob>& stored) override {
    for (const StoredJob& job : stored) {
      if (!cancelled_.contains(job.image.id)) continue;
      Look();
      if (job.image.state == JobState::kCancelled) continue;
      Violated(absl::StrCat("job ", FormatJobId(job.image.id), " was cancelled and ended in state ",
                            static_cast<int>(job.image.state)));
    }
  }

 private:
  std::map<JobId, bool> cancelled_;
};

}  // namespace

std::unique_ptr<Checker> MakeCancelHolds() { return std::make_unique<CancelHolds>(); }

}  // namespace switchyard::simulation
