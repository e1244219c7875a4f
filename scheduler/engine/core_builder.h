// Builds a core from the store under a new epoch: at start, at takeover, and after a commit that
// failed.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "scheduler/core/core.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// `config` is a template: epoch, last job id and limits are filled in. Errors are the store's.
absl::StatusOr<std::unique_ptr<Core>> BuildCore(CoreConfig config, JobStore& store, const Now& now);

// As stored and as the core has them.
std::vector<LimitRow> ToRows(const std::vector<LimitRule>& rules);
std::vector<LimitRule> ToRules(const std::vector<LimitRow>& rows);

}  // namespace switchyard::scheduler
