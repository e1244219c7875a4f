// How fast calls may come: a token bucket. A key gets `per_second` tokens each second, keeps at
// most `burst` of them, and every call takes one. Pure functions; the bucket is its owner's.
#pragma once

#include <cstdint>

namespace switchyard::scheduler {

struct RateLimit {
  double per_second = 0;  // 0: no limit.
  uint32_t burst = 0;     // 0: a second's worth, at least 1.
};

struct TokenBucket {
  double tokens = 0;
  int64_t filled_us = 0;  // Boot clock; 0: never used, so full.
};

// Calls that may be made at once after a pause.
double BurstOf(const RateLimit& limit);

// Takes a token. 0: it was there; else the microseconds until it will be, and nothing is taken.
// The limit may be another one each time: tokens above a smaller burst are lost.
int64_t TakeToken(TokenBucket& bucket, const RateLimit& limit, int64_t boot_us);

}  // namespace switchyard::scheduler
