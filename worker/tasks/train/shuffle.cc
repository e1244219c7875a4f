#include "worker/tasks/train/shuffle.h"

#include <numeric>
#include <utility>

namespace switchyard::worker {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014).
class Generator {
 public:
  explicit Generator(uint64_t state) : state_(state) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  // 0 to bound - 1. The bias of taking the high half of a product is below 2^-32 here.
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>((Next() >> 32) * bound >> 32); }

 private:
  uint64_t state_;
};

uint64_t Mix(uint64_t seed, uint64_t stream, uint64_t index) {
  return Generator(Generator(Generator(seed).Next() ^ stream).Next() ^ index).Next();
}

}  // namespace

std::vector<uint32_t> Permutation(uint32_t size, uint64_t seed, Stream stream, uint64_t index) {
  std::vector<uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0u);
  Generator generator(Mix(seed, static_cast<uint64_t>(stream), index));
  for (uint32_t i = size; i > 1; --i) std::swap(order[i - 1], order[generator.Below(i)]);
  return order;
}

}  // namespace switchyard::worker
