#include "scheduler/policy/limits.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"

namespace switchyard::scheduler {
namespace {

auto Key(const LimitRule& rule) { return std::tie(rule.worker, rule.device, rule.job_class); }

// 0: does not match; else larger is more specific.
int Specificity(const LimitRule& rule, absl::string_view worker, absl::string_view device) {
  int specificity = 1;
  if (!rule.worker.empty()) {
    if (absl::string_view(rule.worker) != worker) return 0;
    specificity += 4;
  }
  if (rule.device.empty()) return specificity;
  if (absl::string_view(rule.device) == device) return specificity + 2;
  if (rule.device == "cuda" && absl::StartsWith(device, "cuda:")) return specificity + 1;
  return 0;
}

void Remove(std::vector<LimitRule>& rules, const LimitRule& gone) {
  rules.erase(std::remove_if(rules.begin(), rules.end(),
                             [&](const LimitRule& rule) { return Key(rule) == Key(gone); }),
              rules.end());
}

}  // namespace

uint32_t DefaultLimit(absl::string_view device, JobClass job_class) {
  if (job_class == JobClass::kGeneral) return 8;
  const bool gpu = absl::StartsWith(device, "cuda");
  if (job_class == JobClass::kTraining) return gpu ? 1 : 2;
  if (job_class == JobClass::kInference) return gpu ? 3 : 4;
  return 0;
}

uint32_t ResolveLimit(absl::Span<const LimitRule> rules, absl::string_view worker,
                      absl::string_view device, JobClass job_class) {
  uint32_t limit = DefaultLimit(device, job_class);
  int best = 0;
  for (const LimitRule& rule : rules) {
    if (rule.job_class != job_class) continue;
    const int specificity = Specificity(rule, worker, device);
    if (specificity <= best) continue;
    best = specificity;
    limit = rule.max_running;
  }
  return limit;
}

std::vector<LimitRule> MergeLimits(std::vector<LimitRule> rules, absl::Span<const LimitRule> set,
                                   absl::Span<const LimitRule> clear) {
  for (const LimitRule& rule : set) {
    Remove(rules, rule);
    rules.push_back(rule);
  }
  for (const LimitRule& rule : clear) Remove(rules, rule);
  std::sort(rules.begin(), rules.end(),
            [](const LimitRule& a, const LimitRule& b) { return Key(a) < Key(b); });
  return rules;
}

}  // namespace switchyard::scheduler
