// At most one attempt of a job runs at any time, on any worker; of a gang it runs on several
// devices.
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class OneAttemptRuns final : public Checker {
 public:
  OneAttemptRuns() : Checker("one_attempt_runs") {}

  void OnRun(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    Look();
    const auto [running, first] = running_.try_emplace(ref.job, Running{site.worker, ref, {}});
    const bool same = running->second.ref == ref;
    if (same && running->second.devices.emplace(site.worker, site.device).second) return;
    Violated(absl::StrCat(Describe(ref), " started on ", site.worker, " at ", now_us, " us while ",
                          Describe(running->second.ref), " ran on ", running->second.worker));
  }
  void OnRunEnd(const Site& site, const AttemptRef& ref, int64_t) override {
    const auto running = running_.find(ref.job);
    if (running == running_.end()) return;
    if (running->second.ref != ref) return;
    running->second.devices.erase({site.worker, site.device});
    if (running->second.devices.empty()) running_.erase(running);
  }

 private:
  struct Running {
    std::string worker;
    AttemptRef ref;
    std::set<std::pair<std::string, std::string>> devices;  // Worker, device.
  };
  std::map<JobId, Running> running_;
};

}  // namespace

std::unique_ptr<Checker> MakeOneAttemptRuns() { return std::make_unique<OneAttemptRuns>(); }

}  // namespace switchyard::simulation
