// Objects at stable small indices in chunks: no copying when it grows, freed places are used again.
// Internal to the core.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace switchyard::scheduler {

inline constexpr uint32_t kNone = UINT32_MAX;

// Not thread-safe. T is default-constructible and movable.
template <class T>
class Slab {
 public:
  // A place holding T(). Its index is the last freed one, else the next.
  uint32_t Add() {
    if (!free_.empty()) {
      const uint32_t index = free_.back();
      free_.pop_back();
      return index;
    }
    if ((size_ & kMask) == 0) chunks_.push_back(std::make_unique<T[]>(kMask + 1));
    return size_++;
  }
  void Remove(uint32_t index) {
    (*this)[index] = T();
    free_.push_back(index);
  }
  T& operator[](uint32_t index) { return chunks_[index >> kBits][index & kMask]; }
  const T& operator[](uint32_t index) const { return chunks_[index >> kBits][index & kMask]; }
  // One past the largest index ever used.
  uint32_t size() const { return size_; }

 private:
  static constexpr int kBits = 12;
  static constexpr uint32_t kMask = (1u << kBits) - 1;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<uint32_t> free_;
  uint32_t size_ = 0;
};

}  // namespace switchyard::scheduler
