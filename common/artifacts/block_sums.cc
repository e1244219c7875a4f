#include "common/artifacts/block_sums.h"

#include <algorithm>

#include "common/hash/crc32c.h"

namespace switchyard {
namespace {

constexpr size_t kSumBytes = 4;

void AppendSum(uint32_t sum, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(sum >> shift));
}

uint32_t SumAt(absl::string_view stored, size_t index) {
  uint32_t sum = 0;
  for (size_t i = 0; i < kSumBytes; ++i) {
    sum |= static_cast<uint32_t>(static_cast<unsigned char>(stored[index * kSumBytes + i]))
           << (8 * i);
  }
  return sum;
}

}  // namespace

void BlockSums::Update(absl::string_view data) {
  while (!data.empty()) {
    const size_t taken =
        std::min<size_t>(data.size(), static_cast<size_t>(kBlockBytes - block_bytes_));
    sum_ = Crc32c(sum_, data.substr(0, taken));
    block_bytes_ += static_cast<int64_t>(taken);
    data.remove_prefix(taken);
    if (block_bytes_ < kBlockBytes) continue;
    AppendSum(sum_, &sums_);
    sum_ = 0;
    block_bytes_ = 0;
  }
}

std::string BlockSums::Finish() {
  if (block_bytes_ > 0) AppendSum(sum_, &sums_);
  AppendSum(Crc32c(0, sums_), &sums_);
  return std::move(sums_);
}

std::optional<std::vector<uint32_t>> ReadBlockSums(absl::string_view stored, int64_t size_bytes) {
  const size_t blocks = static_cast<size_t>((size_bytes + kBlockBytes - 1) / kBlockBytes);
  if (stored.size() != (blocks + 1) * kSumBytes) return std::nullopt;
  if (SumAt(stored, blocks) != Crc32c(0, stored.substr(0, blocks * kSumBytes))) return std::nullopt;
  std::vector<uint32_t> sums(blocks);
  for (size_t i = 0; i < blocks; ++i) sums[i] = SumAt(stored, i);
  return sums;
}

}  // namespace switchyard
