// How much of each shape's places urgent and other work used in the last window. Internal to the
// core.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "scheduler/policy/urgent_share.h"

namespace switchyard::scheduler {

// Not thread-safe. Times by the boot clock. Shapes by number (pool_index.h).
class UrgentUse {
 public:
  UrgentUse(uint32_t share_percent, int64_t window_us)
      : share_percent_(share_percent), window_us_(window_us) {}

  // Work on one device: handed out, begun, ended.
  void HandOut(uint32_t shape, bool urgent);
  void Start(uint32_t shape, bool urgent, int64_t now_us);
  void End(uint32_t shape, bool urgent, bool started, int64_t now_us);
  // Device time of work that began and ended before it was heard of.
  void Use(uint32_t shape, bool urgent, int64_t device_us, int64_t now_us);

  // policy/urgent_share.h.
  bool HadItsShare(uint32_t shape, int64_t now_us);

 private:
  // Of a window; what is older than all of them is forgotten.
  static constexpr int64_t kSlices = 6;
  struct Shape {
    std::array<uint32_t, 2> held = {};     // Devices: of others, of urgent work.
    std::array<uint32_t, 2> running = {};  // Devices.
    std::array<std::array<int64_t, kSlices>, 2> used_us = {};
    int64_t settled_us = 0;
  };

  Shape& At(uint32_t shape);
  void Settle(Shape& shape, int64_t now_us);

  const uint32_t share_percent_;
  const int64_t window_us_;
  std::vector<Shape> shapes_;
};

}  // namespace switchyard::scheduler
