// A set of small numbers, walked in ascending order. Internal to the core.
//
// Which groups have something on offer, which streams may still age: few of many, asked for at
// every decision. A bit each, so that what is not in the set costs a sixty-fourth of a look.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/core/slab.h"

namespace switchyard::scheduler {

// Not thread-safe. May be changed while it is walked: what is added before `from` is not seen.
class NumberSet {
 public:
  void Put(uint32_t number, bool in) {
    const size_t word = number / 64;
    if (word >= words_.size()) {
      if (!in) return;
      words_.resize(word + 1);
    }
    const uint64_t bit = uint64_t{1} << number % 64;
    words_[word] = in ? words_[word] | bit : words_[word] & ~bit;
  }

  // The least number from `from` on; kNone: there is none.
  uint32_t Next(uint32_t from) const {
    size_t word = from / 64;
    if (word >= words_.size()) return kNone;
    uint64_t bits = words_[word] & ~uint64_t{0} << from % 64;
    while (bits == 0) {
      if (++word == words_.size()) return kNone;
      bits = words_[word];
    }
    return static_cast<uint32_t>(word * 64 + __builtin_ctzll(bits));
  }

 private:
  std::vector<uint64_t> words_;
};

}  // namespace switchyard::scheduler
