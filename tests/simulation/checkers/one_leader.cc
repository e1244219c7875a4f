// One leader: of several schedulers never two lead at once, and none grants anything once a later
// one decides.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class OneLeader final : public Checker {
 public:
  OneLeader() : Checker("one_leader") {}

  void OnLeaders(int leading) override {
    Look();
    if (leading > 1) Violated(absl::StrCat(leading, " schedulers lead at once"));
  }
  void OnEpoch(uint64_t epoch) override {
    Look();
    if (epoch <= highest_) Violated(absl::StrCat("epoch ", epoch, " after ", highest_));
    highest_ = std::max(highest_, epoch);
  }
  void OnAssigned(const Site& site, const scheduler::AssignAttempt& attempt, int64_t) override {
    Look();
    if (attempt.ref.fencing.epoch >= highest_) return;
    Violated(absl::StrCat(Describe(attempt.ref), " was handed to ", site.worker, " though epoch ",
                          highest_, " has begun"));
  }

 private:
  uint64_t highest_ = 0;
};

}  // namespace

std::unique_ptr<Checker> MakeOneLeader() { return std::make_unique<OneLeader>(); }

}  // namespace switchyard::simulation
