// Why a job waits, as people read it. Pure functions.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::cli {

// Several lines: the reason, the numbers behind it, position and expected start.
std::string ExplanationText(const v1::Explanation& explanation, absl::Time now);

}  // namespace switchyard::cli
