// What policies learned as a document of the store and back. Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "scheduler/core/policy_state.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

DocumentKey PolicyStateKey();

std::string EncodePolicyState(const PolicyState& state);
// Bytes that are no such document are as if nothing was learned: scheduling goes on without it.
PolicyState DecodePolicyState(absl::string_view bytes);

}  // namespace switchyard::scheduler
