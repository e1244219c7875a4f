// Weighted fair share between tenants, as start-time fair queueing (Goyal, Vin, Cheng 1996): each
// tenant carries a charge, device time over weight, that only grows; the least charged goes first.
// A tenant that comes back after a pause starts at the charge of whoever was served last, so
// pausing saves nothing up. Pure functions.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

// What `device_us` of device time adds to a tenant's charge; at least 1, so that jobs of no known
// length take turns.
uint64_t ChargeFor(int64_t device_us, uint32_t weight);

// Charge of a tenant that begins to wait: its own, or that of the tenant served last when this is
// more.
uint64_t ChargeOnReturn(uint64_t own, uint64_t served_last);

}  // namespace switchyard::scheduler
