// Orders drawn from a seed, the same on every machine and standard library, and without state: a
// resumed training draws the order of any epoch anew. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

namespace switchyard::worker {

// What an order is for; different streams of one seed are independent.
enum class Stream : uint64_t { kSplit = 1, kLabels = 2, kEpoch = 1000 };

// A permutation of 0 ... size-1. `index` tells orders of one stream apart (the epoch).
std::vector<uint32_t> Permutation(uint32_t size, uint64_t seed, Stream stream, uint64_t index = 0);

}  // namespace switchyard::worker
