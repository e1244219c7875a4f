// A gang gets all its devices at the same time or holds none: it is handed out whole, in one drain,
// on devices that differ; and when one of its workers ends early, the others do not run on for
// longer than a lost worker and a lost cancel may take to be noticed. A scheduler that starts anew
// gives every attempt a full lease, so then it has that time again.
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

// A lease with its margin until a worker counts as lost, another for a cancel that is not answered,
// and the way of the messages.
constexpr int64_t kNoticedUs = 75'000'000;

class GangsAllOrNone final : public Checker {
 public:
  GangsAllOrNone() : Checker("gangs_all_or_none") {}

  void OnAccepted(const JobPlan& plan, JobId job, int64_t) override {
    if (plan.job.device_count > 1) asked_[job] = plan.job.device_count;
  }
  void OnAssigned(const Site& site, const scheduler::AssignAttempt& attempt, int64_t) override {
    if (attempt.gang.size == 0) return;
    Gang& gang = handed_out_[attempt.ref];
    gang.size = attempt.gang.size;
    gang.members = attempt.gang.members;
    for (const std::string& device : attempt.gang.devices) {
      if (!gang.devices.emplace(site.worker, device).second)
        Violated(absl::StrCat(Describe(attempt.ref), " has ", site.worker, " ", device, " twice"));
    }
    gang.told.insert(attempt.gang.member);
  }
  void OnDrainEnd() override {
    for (const auto& [ref, gang] : handed_out_) Check(ref, gang);
    handed_out_.clear();
  }
  void OnLeasesBeginAnew(int64_t now_us) override {
    for (auto& [ref, run] : runs_) {
      if (run.broken_us != 0) run.broken_us = now_us;
    }
  }
  void OnRun(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    if (!asked_.contains(ref.job)) return;
    runs_[ref].running.insert({site.worker, site.device});
    LookAt(ref, now_us);
  }
  void OnRunEnd(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    const auto run = runs_.find(ref);
    if (run == runs_.end()) return;
    run->second.running.erase({site.worker, site.device});
    LookAt(ref, now_us);
    if (run->second.running.empty()) {
      runs_.erase(run);
    } else if (run->second.broken_us == 0) {
      run->second.broken_us = now_us;
    }
  }

 private:
  using Devices = std::set<std::pair<std::string, std::string>>;
  struct Gang {
    uint32_t size = 0;
    uint32_t members = 0;
    Devices devices;
    std::set<uint32_t> told;
  };
  struct Run {
    Devices running;
    int64_t broken_us = 0;  // The first of its devices was given up; 0: none was.
  };

  void Check(const AttemptRef& ref, const Gang& gang) {
    Look();
    const auto asked = asked_.find(ref.job);
    const bool whole = gang.devices.size() == gang.size && gang.told.size() == gang.members;
    if (whole && (asked == asked_.end() || asked->second == gang.size)) return;
    Violated(absl::StrCat(Describe(ref), " was handed out with ", gang.devices.size(), " of ",
                          asked == asked_.end() ? gang.size : asked->second, " devices, to ",
                          gang.told.size(), " of ", gang.members, " workers"));
  }

  void LookAt(const AttemptRef& ref, int64_t now_us) {
    const Run& run = runs_[ref];
    if (run.broken_us == 0 || now_us - run.broken_us <= kNoticedUs) return;
    Look();
    Violated(absl::StrCat(Describe(ref), " ran on ", run.running.size(), " devices ",
                          now_us - run.broken_us, " us after it gave up the first"));
  }

  std::map<JobId, uint32_t> asked_;
  std::map<AttemptRef, Gang> handed_out_;  // In the drain that is being told.
  std::map<AttemptRef, Run> runs_;
};

}  // namespace

std::unique_ptr<Checker> MakeGangsAllOrNone() { return std::make_unique<GangsAllOrNone>(); }

}  // namespace switchyard::simulation
