#include "common/rpc/process.h"

#include "absl/synchronization/mutex.h"

namespace switchyard {

void PrepareRpcProcess() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

}  // namespace switchyard
