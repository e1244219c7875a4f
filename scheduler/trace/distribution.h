// Distributions as papers print them: a few points of a curve, or shares of a whole. Values;
// thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

namespace switchyard::scheduler {

// A cumulative distribution by points read off a published curve; between them the logarithm of the
// value is interpolated, as the papers' axes are.
class Quantiles {
 public:
  struct Point {
    double share;  // Of all that is at most `value`; rising from point to point, the last is 1.
    double value;  // Above 0, rising.
  };
  // REQUIRES: at least two points.
  explicit Quantiles(std::vector<Point> points) : points_(std::move(points)) {}

  // The value below which `share` of all lies. REQUIRES: 0 <= share <= 1.
  double At(double share) const;

 private:
  std::vector<Point> points_;
};

// Draws an index by weights.
class Weighted {
 public:
  explicit Weighted(const std::vector<double>& weights);
  // REQUIRES: 0 <= share < 1.
  uint32_t At(double share) const;
  double Share(uint32_t index) const;

 private:
  std::vector<double> ends_;  // Cumulative; the last is 1.
};

// Weights of `count` tenants whose sizes are lognormal with deviation `sigma`, largest first: what
// CDFs of jobs per user look like on a logarithmic axis.
std::vector<double> LognormalWeights(uint32_t count, double sigma);

// The standard normal distribution and its inverse (Acklam's rational approximation, 2003; relative
// error below 1.2e-9). REQUIRES of the inverse: 0 < share < 1.
double NormalShare(double value);
double NormalQuantile(double share);

}  // namespace switchyard::scheduler
