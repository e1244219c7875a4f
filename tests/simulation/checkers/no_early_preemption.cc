// Nothing is asked to make room before it has run for its minimum time, but for what runs (or a
// member of which runs) on a worker that an operator drains.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/world.h"

namespace switchyard::simulation {
namespace {

class NoEarlyPreemption final : public Checker {
 public:
  NoEarlyPreemption() : Checker("no_early_preemption") {}

  void OnAssigned(const Site& site, const scheduler::AssignAttempt& attempt, int64_t) override {
    workers_[attempt.ref].insert(site.worker);
  }
  void OnDrain(const std::string& worker, bool drained) override {
    drained ? (void)drained_.insert(worker) : (void)drained_.erase(worker);
  }
  void OnRun(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    starts_.try_emplace({site.worker, ref}, now_us);
  }
  void OnCancelSent(const std::string& worker, const scheduler::CancelAttempt& cancel,
                    int64_t now_us) override {
    // Told again: its worker has attached anew since, and a drain may have been lifted meanwhile.
    if (!cancel.preempt || !told_.insert(cancel.ref).second || IsDrained(cancel.ref)) return;
    Look();
    const auto start = starts_.find({worker, cancel.ref});
    if (start != starts_.end() && now_us - start->second >= kMinRunUs) return;
    Violated(absl::StrCat(Describe(cancel.ref), " on ", worker, " was asked to make room ",
                          start == starts_.end() ? 0 : now_us - start->second,
                          " us after it began, before the ", kMinRunUs, " us it may run"));
  }

 private:
  bool IsDrained(const AttemptRef& ref) const {
    const auto workers = workers_.find(ref);
    if (workers == workers_.end()) return false;
    return std::any_of(workers->second.begin(), workers->second.end(),
                       [&](const std::string& worker) { return drained_.contains(worker); });
  }

  std::set<AttemptRef> told_;
  std::set<std::string> drained_;
  std::map<AttemptRef, std::set<std::string>> workers_;
  std::map<std::pair<std::string, AttemptRef>, int64_t> starts_;
};

}  // namespace

std::unique_ptr<Checker> MakeNoEarlyPreemption() { return std::make_unique<NoEarlyPreemption>(); }

}  // namespace switchyard::simulation
