// What this machine has, as far as it is shared out among workers. Reads /proc and /sys.
#pragma once

#include <cstdint>
#include <string>

namespace switchyard::cli {

// Cores this process may use.
uint32_t CoresHere();
uint64_t MemoryTotalHere();
// Free for new work; a container's own bound counts.
uint64_t MemoryAvailableHere();
// By their device files: nothing is loaded.
uint32_t GpusHere();
// "AMD EPYC 7B13"; empty when the kernel does not say.
std::string ProcessorNameHere();

}  // namespace switchyard::cli
