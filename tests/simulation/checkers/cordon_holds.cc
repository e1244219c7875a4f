// A cordon that was answered holds: its worker is handed nothing new until it is asked to be
// lifted, whatever restarts meanwhile.
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class CordonHolds final : public Checker {
 public:
  CordonHolds() : Checker("cordon_holds") {}

  void OnCordon(const std::string& worker, bool cordoned) override {
    cordoned ? (void)cordoned_.insert(worker) : (void)cordoned_.erase(worker);
  }
  void OnAssigned(const Site& site, const scheduler::AssignAttempt& attempt, int64_t) override {
    if (cordoned_.empty()) return;
    Look();
    if (!cordoned_.contains(site.worker)) return;
    Violated(
        absl::StrCat(Describe(attempt.ref), " was handed to ", site.worker, ", which is cordoned"));
  }

 private:
  std::set<std::string> cordoned_;
};

}  // namespace

std::unique_ptr<Checker> MakeCordonHolds() { return std::make_unique<CordonHolds>(); }

}  // namespace switchyard::simulation
