// The keys and tenants of a scheduler's configuration: their form. Thread-safe: pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "scheduler/core/settings.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard::scheduler {

// Adds what is wrong with `keys`, `tenants` and what goes with them.
void CheckKeys(const config::v1::SchedulerConfig& config, std::vector<std::string>& faults);

// Ids and tenants: 1 to 63 of [a-z0-9_-], beginning with a letter or digit.
bool IsKeyId(absl::string_view text);

// First line of `operator_token_file`; empty when none is configured. FAILED_PRECONDITION naming
// the file when it cannot be read, holds too short a token, or can be read by others.
absl::StatusOr<std::string> ReadOperatorToken(const config::v1::SchedulerConfig& config);

// As the core takes them.
std::vector<TenantSettings> TenantsOf(const config::v1::SchedulerConfig& config);
std::vector<KeySettings> KeysOf(const config::v1::SchedulerConfig& config);

}  // namespace switchyard::scheduler
