#include "scheduler/trace/distribution.h"

#include <algorithm>
#include <cmath>

namespace switchyard::scheduler {
namespace {

// One polynomial, highest power first.
template <size_t N>
double Polynomial(const double (&factors)[N], double x) {
  double sum = 0;
  for (const double factor : factors) sum = sum * x + factor;
  return sum;
}

}  // namespace

double Quantiles::At(double share) const {
  const auto above =
      std::upper_bound(points_.begin(), points_.end(), share,
                       [](double wanted, const Point& point) { return wanted < point.share; });
  if (above == points_.begin()) return points_.front().value;
  if (above == points_.end()) return points_.back().value;
  const Point& low = *(above - 1);
  const double part = (share - low.share) / (above->share - low.share);
  return std::exp(std::log(low.value) + part * (std::log(above->value) - std::log(low.value)));
}

Weighted::Weighted(const std::vector<double>& weights) {
  double sum = 0;
  for (const double weight : weights) ends_.push_back(sum += weight);
  for (double& end : ends_) end /= sum;
}

uint32_t Weighted::At(double share) const {
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), share);
  return static_cast<uint32_t>(std::min<size_t>(found - ends_.begin(), ends_.size() - 1));
}

double Weighted::Share(uint32_t index) const {
  return index == 0 ? ends_[0] : ends_[index] - ends_[index - 1];
}

std::vector<double> LognormalWeights(uint32_t count, double sigma) {
  std::vector<double> weights;
  for (uint32_t i = 0; i < count; ++i) {
    weights.push_back(std::exp(sigma * NormalQuantile(1 - (i + 0.5) / count)));
  }
  return weights;
}

double NormalShare(double value) { return 0.5 * std::erfc(-value * 0.7071067811865476); }

double NormalQuantile(double share) {
  static constexpr double kNumerator[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                                          -2.759285104469687e+02, 1.383577518672690e+02,
                                          -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr double kDenominator[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                                            -1.556989798598866e+02, 6.680131188771972e+01,
                                            -1.328068155288572e+01, 1};
  static constexpr double kTail[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                                     -2.400758277161838e+00, -2.549732539343734e+00,
                                     4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr double kTailDenominator[] = {7.784695709041462e-03, 3.224671290700398e-01,
                                                2.445134137142996e+00, 3.754408661907416e+00, 1};
  constexpr double kTailShare = 0.02425;
  if (share > 1 - kTailShare) return -NormalQuantile(1 - share);
  if (share < kTailShare) {
    const double q = std::sqrt(-2 * std::log(share));
    return Polynomial(kTail, q) / Polynomial(kTailDenominator, q);
  }
  const double q = share - 0.5;
  const double r = q * q;
  return q * Polynomial(kNumerator, r) / Polynomial(kDenominator, r);
}

}  // namespace switchyard::scheduler
