#include "scheduler/trace/rules.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace switchyard::scheduler {
namespace {

// `LEFT=N`; false: it is not of that form.
bool Split(const std::string& text, std::string& left, uint32_t& number) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return false;
  left = text.substr(0, equals);
  return absl::SimpleAtoi(text.substr(equals + 1), &number);
}

JobClass ClassNamed(absl::string_view name) {
  if (name == "training") return JobClass::kTraining;
  if (name == "inference") return JobClass::kInference;
  if (name == "general") return JobClass::kGeneral;
  return JobClass::kUnspecified;
}

}  // namespace

absl::StatusOr<std::vector<LimitRule>> ParseLimits(const std::vector<std::string>& texts) {
  std::vector<LimitRule> rules;
  for (const std::string& text : texts) {
    std::string left;
    LimitRule rule;
    const bool split = Split(text, left, rule.max_running);
    const std::vector<std::string> parts = absl::StrSplit(left, '/');
    rule.job_class = split ? ClassNamed(parts.back()) : JobClass::kUnspecified;
    if (rule.job_class == JobClass::kUnspecified || parts.size() > 3) {
      return absl::InvalidArgumentError(
          absl::StrCat("--limits: \"", text,
                       "\" is not [WORKER/][DEVICE/]CLASS=N with CLASS training, inference or "
                       "general"));
    }
    if (parts.size() == 3) rule.worker = parts[0];
    if (parts.size() >= 2) rule.device = parts[parts.size() - 2];
    rules.push_back(std::move(rule));
  }
  return rules;
}

absl::StatusOr<std::map<std::string, uint32_t>> ParseWeights(
    const std::vector<std::string>& texts) {
  std::map<std::string, uint32_t> weights;
  for (const std::string& text : texts) {
    std::string tenant;
    uint32_t weight = 0;
    if (!Split(text, tenant, weight) || weight == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--weights: \"", text, "\" is not TENANT=N with N from 1"));
    }
    weights[tenant] = weight;
  }
  return weights;
}

}  // namespace switchyard::scheduler
