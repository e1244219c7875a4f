// When a host is too busy for new work. Pure functions. docs/policies/host-ceilings.md tells it to
// people.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// Use of one resource of a host and its ceiling, in any unit; ceiling 0: none.
struct HostUse {
  int64_t used = 0;
  int64_t ceiling = 0;
};

// Over a ceiling the host is busy; it stays so until every use is at most nine tenths of its
// ceiling, so that work ending does not let it in and out.
bool HostBusy(bool was_busy, const HostUse& memory, const HostUse& processors);

}  // namespace switchyard::scheduler
