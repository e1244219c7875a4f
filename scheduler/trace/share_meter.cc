#include "scheduler/trace/share_meter.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace switchyard::scheduler {

std::vector<double> MaxMinShares(const std::vector<double>& wants,
                                 const std::vector<uint32_t>& weights, double capacity) {
  std::vector<uint32_t> order(wants.size());
  std::iota(order.begin(), order.end(), 0);
  // Whoever wants least for its weight is satisfied first, and leaves the rest to the others.
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return wants[a] * weights[b] < wants[b] * weights[a]; });
  double weight = 0;
  for (size_t i = 0; i < wants.size(); ++i) weight += wants[i] > 0 ? weights[i] : 0;
  std::vector<double> shares(wants.size(), 0);
  for (const uint32_t tenant : order) {
    if (wants[tenant] <= 0) continue;
    shares[tenant] = std::min(wants[tenant], capacity * weights[tenant] / weight);
    capacity -= shares[tenant];
    weight -= weights[tenant];
  }
  return shares;
}

void ShareMeter::SetWeight(uint32_t tenant, uint32_t weight) {
  if (tenant >= wants_.size()) {
    weights_.resize(tenant + 1, 1);
    wants_.resize(tenant + 1, 0);
    has_.resize(tenant + 1, 0);
    beyond_.resize(tenant + 1, 0);
  }
  weights_[tenant] = weight;
}

void ShareMeter::Wants(uint32_t tenant, int64_t devices) {
  wants_[tenant] += static_cast<double>(devices);
  wanted_ += static_cast<double>(devices);
}

void ShareMeter::Has(uint32_t tenant, int64_t devices) {
  has_[tenant] += static_cast<double>(devices);
}

void ShareMeter::AdvanceTo(int64_t now_us) {
  for (; next_look_us_ < now_us; next_look_us_ += interval_us_) {
    if (wanted_ > capacity_) {
      Look();
    } else {
      // Nothing changes before `now_us`, and nothing is owed.
      next_look_us_ += (now_us - next_look_us_ - 1) / interval_us_ * interval_us_;
    }
  }
}

void ShareMeter::Look() {
  const std::vector<double> owed = MaxMinShares(wants_, weights_, capacity_);
  for (size_t i = 0; i < owed.size(); ++i) beyond_[i] += has_[i] - owed[i];
  ++full_looks_;
}

ShareMeter::Error ShareMeter::Worst() const {
  Error worst;
  if (full_looks_ == 0) return worst;
  for (uint32_t i = 0; i < beyond_.size(); ++i) {
    const double share = std::abs(beyond_[i]) / (capacity_ * static_cast<double>(full_looks_));
    if (share > worst.share) worst = {share, i, beyond_[i] < 0};
  }
  return worst;
}

}  // namespace switchyard::scheduler
