#include "worker/data/fft.h"

#include <cmath>
#include <utility>

namespace switchyard::worker {

Fft::Fft(int size) : size_(size), reversed_(size), twiddle_(size / 2) {
  for (int i = 1; i < size; ++i) {
    reversed_[i] = reversed_[i >> 1] >> 1 | ((i & 1) != 0 ? size >> 1 : 0);
  }
  for (int k = 0; k < size / 2; ++k) {
    const double angle = -2 * M_PI * k / size;
    twiddle_[k] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  }
}

// Cooley and Tukey, 1965: decimation in time.
void Fft::Transform(std::complex<float>* data) const {
  for (int i = 0; i < size_; ++i) {
    if (i < reversed_[i]) std::swap(data[i], data[reversed_[i]]);
  }
  for (int half = 1; half < size_; half *= 2) {
    const int step = size_ / (2 * half);
    for (int start = 0; start < size_; start += 2 * half) {
      for (int k = 0; k < half; ++k) {
        const std::complex<float> w = twiddle_[k * step];
        const std::complex<float> b = data[start + k + half];
        // Written out: operator* of complex checks for NaN, several times as slow.
        const std::complex<float> t(w.real() * b.real() - w.imag() * b.imag(),
                                    w.real() * b.imag() + w.imag() * b.real());
        data[start + k + half] = data[start + k] - t;
        data[start + k] += t;
      }
    }
  }
}

}  // namespace switchyard::worker
