// No accepted job is lost: what a client was told is accepted is in the store, once, until it is
// deleted.
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class NoJobLost final : public Checker {
 public:
  NoJobLost() : Checker("no_job_lost") {}

  void OnAccepted(const JobPlan& plan, JobId job, int64_t) override { accepted_[job] = plan.token; }
  void OnDeleted(JobId job) override { accepted_.erase(job); }

  void AtEnd(const std::vector<StoredJob>& stored) override {
    std::map<JobId, uint64_t> tokens;
    std::set<uint64_t> seen;
    for (const StoredJob& job : stored) {
      const uint64_t token = TokenIn(job.spec);
      tokens[job.image.id] = token;
      if (!seen.insert(token).second) Violated(absl::StrCat("submit ", token, " is stored twice"));
    }
    for (const auto& [job, token] : accepted_) {
      Look();
      const auto found = tokens.find(job);
      if (found == tokens.end() || found->second != token) {
        Violated(absl::StrCat("job ", FormatJobId(job), " was accepted and is not in the store"));
      }
    }
  }

 private:
  std::map<JobId, uint64_t> accepted_;
};

}  // namespace

std::unique_ptr<Checker> MakeNoJobLost() { return std::make_unique<NoJobLost>(); }

}  // namespace switchyard::simulation
