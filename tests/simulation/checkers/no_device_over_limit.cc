// No device runs more attempts of a class than its limit. After a limit was lowered, what runs may
// finish; the old limit counts for as long as the news may take.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "scheduler/policy/limits.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kNewsTakesUs = 120'000'000;

class NoDeviceOverLimit final : public Checker {
 public:
  NoDeviceOverLimit() : Checker("no_device_over_limit") {}

  void OnLimits(const std::vector<scheduler::LimitRule>& rules, int64_t now_us) override {
    history_.push_back({now_us, rules});
  }
  void OnRun(const Site& site, const AttemptRef& ref, int64_t now_us) override {
    Look();
    const uint32_t running = ++running_[site];
    const uint32_t limit = LimitAt(site, now_us);
    if (running <= limit) return;
    Violated(absl::StrCat(Describe(ref), " is number ", running, " on ", site.worker, " ",
                          site.device, ", whose limit is ", limit));
  }
  void OnRunEnd(const Site& site, const AttemptRef&, int64_t) override { --running_[site]; }

 private:
  struct Rules {
    int64_t since_us;
    std::vector<scheduler::LimitRule> rules;
  };
  uint32_t LimitAt(const Site& site, int64_t now_us) const {
    uint32_t limit = 0;
    // The newest rules and all that were in force within the time news may take.
    for (auto rules = history_.rbegin(); rules != history_.rend(); ++rules) {
      limit = std::max(
          limit, scheduler::ResolveLimit(rules->rules, site.worker, site.device, site.job_class));
      if (rules->since_us < now_us - kNewsTakesUs) return limit;
    }
    return std::max(limit, scheduler::DefaultLimit(site.device, site.job_class));
  }

  std::vector<Rules> history_;
  std::map<Site, uint32_t> running_;
};

}  // namespace

std::unique_ptr<Checker> MakeNoDeviceOverLimit() { return std::make_unique<NoDeviceOverLimit>(); }

}  // namespace switchyard::simulation
