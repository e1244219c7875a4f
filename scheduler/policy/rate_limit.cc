#include "scheduler/policy/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace switchyard::scheduler {
namespace {

constexpr double kMicrosPerSecond = 1e6;

}  // namespace

double BurstOf(const RateLimit& limit) {
  return limit.burst != 0 ? limit.burst : std::max(1.0, limit.per_second);
}

int64_t TakeToken(TokenBucket& bucket, const RateLimit& limit, int64_t boot_us) {
  if (limit.per_second <= 0) return 0;
  const double most = BurstOf(limit);
  if (bucket.filled_us == 0) {
    bucket.tokens = most;
  } else {
    const double elapsed_s =
        static_cast<double>(std::max<int64_t>(0, boot_us - bucket.filled_us)) / kMicrosPerSecond;
    bucket.tokens = std::min(most, bucket.tokens + elapsed_s * limit.per_second);
  }
  bucket.filled_us = std::max<int64_t>({1, boot_us, bucket.filled_us});
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  const double missing_s = (1 - bucket.tokens) / limit.per_second;
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(missing_s * kMicrosPerSecond)));
}

}  // namespace switchyard::scheduler
