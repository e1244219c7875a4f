// Strings that repeat (tenants, device names, models) as small numbers. Internal to the core. Never
// forgets.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace switchyard::scheduler {

// Number 0 is the empty string. Not thread-safe. The map is looked up only, never iterated: its
// order is random.
class Interner {
 public:
  Interner() { texts_.emplace_back(); }
  uint32_t Intern(absl::string_view text) {
    if (text.empty()) return 0;
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    texts_.emplace_back(text.data(), text.size());
    const uint32_t number = static_cast<uint32_t>(texts_.size() - 1);
    numbers_.emplace(texts_.back(), number);
    return number;
  }
  const std::string& Text(uint32_t number) const { return texts_[number]; }

 private:
  std::deque<std::string> texts_;  // A deque: the keys below point into it.
  absl::flat_hash_map<absl::string_view, uint32_t> numbers_;
};

}  // namespace switchyard::scheduler
