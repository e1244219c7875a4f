// Which kind a serialized job is of, without parsing it: the daemon passes specs on and has no
// other use for them.
#pragma once

#include "absl/strings/string_view.h"
#include "common/kind/kind.h"

namespace switchyard::worker {

// Null when the bytes are no job or name no known kind.
const KindTraits* KindOf(absl::string_view serialized_job);

}  // namespace switchyard::worker
