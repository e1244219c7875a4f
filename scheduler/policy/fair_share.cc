#include "scheduler/policy/fair_share.h"

#include <algorithm>

namespace switchyard::scheduler {
namespace {

// Keeps fractions when a short time is divided by a large weight.
constexpr uint64_t kUnitsPerMicrosecond = 64;

}  // namespace

uint64_t ChargeFor(int64_t device_us, uint32_t weight) {
  const uint64_t units =
      static_cast<uint64_t>(std::max<int64_t>(device_us, 0)) * kUnitsPerMicrosecond;
  return std::max<uint64_t>(units / std::max<uint32_t>(weight, 1), 1);
}

uint64_t ChargeOnReturn(uint64_t own, uint64_t served_last) { return std::max(own, served_last); }

}  // namespace switchyard::scheduler
