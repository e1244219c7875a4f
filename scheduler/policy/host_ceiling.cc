#include "scheduler/policy/host_ceiling.h"

namespace switchyard::scheduler {
namespace {

bool Over(bool was_busy, const HostUse& use) {
  if (use.ceiling <= 0) return false;
  return use.used > (was_busy ? use.ceiling - use.ceiling / 10 : use.ceiling);
}

}  // namespace

bool HostBusy(bool was_busy, const HostUse& memory, const HostUse& processors) {
  return Over(was_busy, memory) || Over(was_busy, processors);
}

}  // namespace switchyard::scheduler
