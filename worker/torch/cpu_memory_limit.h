// A bound on the memory tensors of this process take on the CPU. Past it an allocation fails as if
// the machine were out of memory, which becomes the out-of-memory outcome of that attempt alone,
// where the kernel's killer would take the whole runner. Scratch memory inside oneDNN is not
// counted.
//
// Thread-safe.
#pragma once

#include <cstdint>

namespace switchyard::worker {

// 0: no limit, which is how a process starts. Counting begins with the first call.
void SetCpuMemoryLimit(int64_t bytes);

// Bytes counted at the moment.
int64_t CpuMemoryUsed();

}  // namespace switchyard::worker
