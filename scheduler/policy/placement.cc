#include "scheduler/policy/placement.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace switchyard::scheduler {

bool DeviceMatches(absl::string_view request, absl::string_view device) {
  if (request.empty() || request == "auto" || request == device) return true;
  return request == "cuda" && absl::StartsWith(device, "cuda:");
}

bool NamesDevice(absl::string_view request) { return !request.empty() && request != "auto"; }

int LoadStep(const PoolLoad& load) {
  if (load.outstanding < load.limit) {
    return static_cast<int>(load.outstanding * uint32_t{kFirstAheadStep} / load.limit);
  }
  if (load.ahead_room == 0 || load.ahead_jobs == 0) return -1;
  const uint32_t held = load.outstanding - load.limit;
  const int step = static_cast<int>(uint64_t{held} * kFirstAheadStep / load.ahead_jobs);
  return kFirstAheadStep + std::min(step, kLoadSteps - kFirstAheadStep - 1);
}

}  // namespace switchyard::scheduler
