// Which limit holds for a class on a device of a worker. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Without any rule: GPU 1 training, 3 inference; CPU 2 and 4; general 8 (per worker, device empty).
uint32_t DefaultLimit(absl::string_view device, JobClass job_class);

// The most specific rule that matches counts: one naming the worker before one naming only a
// device, an exact device before `cuda`, `cuda` before none; the default when none matches.
// `device` is empty for GENERAL.
uint32_t ResolveLimit(absl::Span<const LimitRule> rules, absl::string_view worker,
                      absl::string_view device, JobClass job_class);

// `rules` with `set` merged by (worker, device, class) and `clear` removed, ordered by worker,
// device, class.
std::vector<LimitRule> MergeLimits(std::vector<LimitRule> rules, absl::Span<const LimitRule> set,
                                   absl::Span<const LimitRule> clear);

}  // namespace switchyard::scheduler
