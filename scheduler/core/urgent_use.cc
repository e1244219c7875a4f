#include "scheduler/core/urgent_use.h"

#include <algorithm>
#include <numeric>

namespace switchyard::scheduler {

UrgentUse::Shape& UrgentUse::At(uint32_t shape) {
  if (shape >= shapes_.size()) shapes_.resize(shape + 1);
  return shapes_[shape];
}

void UrgentUse::Settle(Shape& shape, int64_t now_us) {
  if (now_us == shape.settled_us) return;
  const int64_t slice_us = std::max<int64_t>(window_us_ / kSlices, 1);
  // Older than a window is forgotten whatever it was.
  int64_t from_us = std::max(shape.settled_us, now_us - (kSlices - 1) * slice_us);
  int64_t slice = shape.settled_us / slice_us;
  for (int64_t gone = slice + 1; gone <= std::min(now_us / slice_us, slice + kSlices); ++gone) {
    for (auto& used_us : shape.used_us) used_us[gone % kSlices] = 0;
  }
  while (from_us < now_us) {
    const int64_t until_us = std::min(now_us, (from_us / slice_us + 1) * slice_us);
    for (int urgent = 0; urgent < 2; ++urgent) {
      shape.used_us[urgent][from_us / slice_us % kSlices] +=
          (until_us - from_us) * shape.running[urgent];
    }
    from_us = until_us;
  }
  shape.settled_us = now_us;
}

void UrgentUse::HandOut(uint32_t number, bool urgent) { At(number).held[urgent] += 1; }

void UrgentUse::Start(uint32_t number, bool urgent, int64_t now_us) {
  Shape& shape = At(number);
  Settle(shape, now_us);
  shape.running[urgent] += 1;
}

void UrgentUse::End(uint32_t number, bool urgent, bool started, int64_t now_us) {
  Shape& shape = At(number);
  Settle(shape, now_us);
  shape.held[urgent] -= 1;
  if (started) shape.running[urgent] -= 1;
}

void UrgentUse::Use(uint32_t number, bool urgent, int64_t device_us, int64_t now_us) {
  Shape& shape = At(number);
  Settle(shape, now_us);
  const int64_t slice_us = std::max<int64_t>(window_us_ / kSlices, 1);
  shape.used_us[urgent][now_us / slice_us % kSlices] += device_us;
}

bool UrgentUse::HadItsShare(uint32_t number, int64_t now_us) {
  if (share_percent_ >= 100) return false;
  Shape& shape = At(number);
  Settle(shape, now_us);
  const auto sum = [](const auto& used_us) {
    return std::accumulate(used_us.begin(), used_us.end(), int64_t{0});
  };
  return UrgentHadItsShare({.urgent_us = sum(shape.used_us[1]),
                            .other_us = sum(shape.used_us[0]),
                            .urgent_devices = shape.held[1],
                            .other_devices = shape.held[0]},
                           share_percent_, window_us_);
}

}  // namespace switchyard::scheduler
