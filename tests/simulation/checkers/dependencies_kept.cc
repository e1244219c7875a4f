// Dependencies kept: no job runs before all it depends on have succeeded, none is given up because
// of one that did succeed, and none waits for ever.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

using scheduler::JobState;
using scheduler::Reason;

class DependenciesKept final : public Checker {
 public:
  DependenciesKept() : Checker("dependencies_kept") {}

  // An answer travels: a job may run, and end, before its client is told that it was accepted.
  void OnAccepted(const JobPlan& plan, JobId job, int64_t) override {
    if (plan.depends_on.empty()) return;
    depends_on_[job] = plan.depends_on;
    if (const auto ran = first_run_.find(job); ran != first_run_.end()) Check(job, ran->second);
  }
  void OnRun(const Site&, const AttemptRef& ref, int64_t) override {
    const auto [ran, first] = first_run_.emplace(ref.job, ++events_);
    if (first && depends_on_.count(ref.job) != 0) Check(ref.job, ran->second);
  }
  void OnChange(const JobImage& image, int64_t) override { Note(image); }
  void OnRebuilt(const std::vector<StoredJob>& stored, int64_t) override {
    for (const StoredJob& job : stored) Note(job.image);
  }

  void AtEnd(const std::vector<StoredJob>& stored) override {
    std::map<JobId, JobState> states;
    for (const StoredJob& job : stored) states[job.image.id] = job.image.state;
    for (const StoredJob& job : stored) {
      const JobImage& image = job.image;
      if (image.state == JobState::kBlocked) CheckWaits(image, states);
      if (image.state == JobState::kCancelled && image.reason == Reason::kUpstreamFailed) {
        CheckGivenUp(image, states);
      }
    }
  }

 private:
  void Note(const JobImage& image) {
    if (image.state == JobState::kSucceeded) succeeded_.emplace(image.id, ++events_);
  }

  void Check(JobId job, uint64_t ran) {
    for (const JobId upstream : depends_on_[job]) {
      Look();
      const auto done = succeeded_.find(upstream);
      if (done != succeeded_.end() && done->second < ran) continue;
      Violated(absl::StrCat("job ", FormatJobId(job), " ran before ", FormatJobId(upstream),
                            ", which it depends on, had succeeded"));
      return;
    }
  }

  // One whose others have not ended waits rightly: that these end is for another checker to see.
  void CheckWaits(const JobImage& image, const std::map<JobId, JobState>& states) {
    Look();
    const std::vector<JobId>& upstream = depends_on_[image.id];
    const bool awaits = std::any_of(upstream.begin(), upstream.end(), [&](JobId each) {
      const auto state = states.find(each);
      return state != states.end() && !scheduler::HasEnded(state->second);
    });
    if (awaits) return;
    Violated(absl::StrCat("job ", FormatJobId(image.id), " waits for others that have all ended"));
  }

  void CheckGivenUp(const JobImage& image, const std::map<JobId, JobState>& states) {
    const auto found = depends_on_.find(image.id);
    if (found == depends_on_.end()) return;
    Look();
    const bool failed =
        std::any_of(found->second.begin(), found->second.end(), [&](JobId upstream) {
          const auto state = states.find(upstream);
          return state == states.end() || state->second != JobState::kSucceeded;
        });
    if (failed) return;
    Violated(absl::StrCat("job ", FormatJobId(image.id),
                          " was given up though all it depends on has succeeded"));
  }

  uint64_t events_ = 0;
  std::map<JobId, std::vector<JobId>> depends_on_;
  std::map<JobId, uint64_t> succeeded_;  // When it was seen to.
  std::map<JobId, uint64_t> first_run_;
};

}  // namespace

std::unique_ptr<Checker> MakeDependenciesKept() { return std::make_unique<DependenciesKept>(); }

}  // namespace switchyard::simulation
