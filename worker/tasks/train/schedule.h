// How the optimiser's step size changes over a training. The place for further schedules.
#pragma once

#include <cmath>
#include <cstdint>

namespace switchyard::worker {

// Half a cosine (Loshchilov and Hutter, 2017, without restarts): `base` at the beginning, towards 0
// at the end. A constant step size leaves where a training ends to chance: on the digits, a single
// late step of Adam cost 10 % of accuracy once in a while. A function of the position alone, so
// that a resumed run takes the same steps. REQUIRES: step < total.
inline double LearningRateAt(double base, uint64_t step, uint64_t total) {
  const double done = static_cast<double>(step) / static_cast<double>(total);
  return base * 0.5 * (1 + std::cos(M_PI * done));
}

}  // namespace switchyard::worker
