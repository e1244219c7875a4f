// Who may use devices that are kept for a job that needs several at the same time (a gang): EASY
// backfill (Lifka, "The ANL/IBM SP Scheduling System", 1995) with learned run times. Pure
// functions.
//
// The best gang that finds no place holds a reservation: nothing less urgent may take a fitting
// device unless it is expected to be done before the gang's expected start, or is not needed then.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Shorter runs are not looked at one by one: what is busy with them counts as free this soon.
inline constexpr int64_t kSoonUs = 1'000'000;
// When nobody knows when the gang can start, work that is expected to take no longer than this may
// use what is kept for it.
inline constexpr int64_t kBackfillUnknownStartUs = 60'000'000;

// When an attempt that began at `start_us` is expected to end. `expected_us` 0: unknown, then its
// timeout counts (kNever: none). One that is late is thought to need as long again as it is late: a
// report on its way is a second's matter, and what is far off is not asked for again and again.
int64_t ExpectedEnd(int64_t start_us, int64_t expected_us, int64_t timeout_us, int64_t now_us);

// What is known of the devices a gang could use.
struct GangSupply {
  uint32_t needed = 0;  // Devices of the gang.
  uint32_t free = 0;    // Now.
  uint32_t soon = 0;    // Busy with work that ends within kSoonUs.
};

// When a gang can start, and how many devices will be free then that it does not need.
struct GangStart {
  int64_t time_us = kNever;
  uint64_t spare = 0;
};

// `next_end` gives the expected ends of the other busy devices in ascending order, each one device;
// kNever when there are no more. Asked for as many as are needed, and `most_spare` more.
GangStart ExpectedStart(const GangSupply& supply, uint32_t most_spare, int64_t now_us,
                        absl::FunctionRef<int64_t()> next_end);

// Whether a less urgent job of so many devices may start now on what is kept for the gang.
// `run_us`: its expected run time; kNever: unknown.
bool MayBackfill(const GangStart& gang, uint32_t devices, int64_t run_us, int64_t now_us);

}  // namespace switchyard::scheduler
