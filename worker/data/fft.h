// The discrete Fourier transform of short blocks, radix 2. Own code: forty lines cost less than
// another dependency, and blocks of a few hundred samples gain nothing from a planner.
#pragma once

#include <complex>
#include <vector>

namespace switchyard::worker {

// A plan for one length. Immutable, so thread-safe.
class Fft {
 public:
  // REQUIRES: size is a power of two, at least 2.
  explicit Fft(int size);
  int size() const { return size_; }
  // In place, unnormalised: X[k] = sum of x[n] exp(-2 pi i k n / size). `data` holds size() values.
  void Transform(std::complex<float>* data) const;

 private:
  int size_;
  std::vector<int> reversed_;                 // Bit-reversed index.
  std::vector<std::complex<float>> twiddle_;  // exp(-2 pi i k / size), k < size / 2.
};

}  // namespace switchyard::worker
