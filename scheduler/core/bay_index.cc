#include "scheduler/core/bay_index.h"

#include <algorithm>

namespace switchyard::scheduler {

uint32_t BayIndex::FamilyNumber(const BayFamily& name) {
  for (uint32_t i = 0; i < families_.size(); ++i) {
    if (families_[i].name == name) return i;
  }
  families_.push_back({.name = name, .heads = {}});
  return static_cast<uint32_t>(families_.size() - 1);
}

void BayIndex::Add(uint32_t pool, uint32_t host, const BayFamily& name) {
  const uint32_t family = FamilyNumber(name);
  const uint64_t key = uint64_t{family} << 32 | host;
  const auto [found, made] = bay_numbers_.try_emplace(key, static_cast<uint32_t>(bays_.size()));
  if (made) {
    Bay& bay = bays_.emplace_back();
    bay.family = family;
    bay.host = host;
  }
  Bay& bay = bays_[found->second];
  if (pool >= places_.size()) places_.resize(pool + 1);
  places_[pool] = {.bay = found->second, .position = static_cast<uint32_t>(bay.pools.size())};
  bay.pools.push_back(pool);
}

void BayIndex::Remove(uint32_t pool) {
  if (pool >= places_.size() || places_[pool].bay == kNone) return;
  SetFree(pool, false);
  Place& place = places_[pool];
  Bay& bay = bays_[place.bay];
  bay.pools[place.position] = bay.pools.back();
  places_[bay.pools.back()].position = place.position;
  bay.pools.pop_back();
  place = Place();
}

void BayIndex::SetFree(uint32_t pool, bool free) {
  Place& place = places_[pool];
  if (place.free == free) return;
  place.free = free;
  Unlist(place.bay);
  bays_[place.bay].free += free ? 1 : -1;
  List(place.bay);
}

void BayIndex::List(uint32_t number) {
  Bay& bay = bays_[number];
  if (bay.free == 0) return;
  std::vector<uint32_t>& heads = families_[bay.family].heads;
  if (bay.free >= heads.size()) heads.resize(bay.free + 1, kNone);
  bay.previous = kNone;
  bay.next = heads[bay.free];
  if (bay.next != kNone) bays_[bay.next].previous = number;
  heads[bay.free] = number;
}

void BayIndex::Unlist(uint32_t number) {
  Bay& bay = bays_[number];
  if (bay.free == 0) return;
  uint32_t& head = families_[bay.family].heads[bay.free];
  (bay.previous == kNone ? head : bays_[bay.previous].next) = bay.next;
  if (bay.next != kNone) bays_[bay.next].previous = bay.previous;
}

std::vector<uint32_t> BayIndex::Usable(const Bay& bay,
                                       absl::FunctionRef<bool(uint32_t)> fits) const {
  std::vector<uint32_t> usable;
  for (const uint32_t pool : bay.pools) {
    if (places_[pool].free && fits(pool)) usable.push_back(pool);
  }
  return usable;
}

std::vector<uint32_t> BayIndex::OneHost(uint32_t count,
                                        absl::FunctionRef<bool(const BayFamily&)> wanted,
                                        absl::FunctionRef<bool(uint32_t)> fits) const {
  size_t most = 0;
  for (const Family& family : families_) most = std::max(most, family.heads.size());
  for (size_t free = count; free < most; ++free) {
    for (const Family& family : families_) {
      if (free >= family.heads.size() || !wanted(family.name)) continue;
      for (uint32_t i = family.heads[free]; i != kNone; i = bays_[i].next) {
        std::vector<uint32_t> usable = Usable(bays_[i], fits);
        if (usable.size() >= count) return usable;
      }
    }
  }
  return {};
}

std::vector<uint32_t> BayIndex::Choose(uint32_t count,
                                       absl::FunctionRef<bool(const BayFamily&)> wanted,
                                       absl::FunctionRef<bool(uint32_t)> fits) const {
  std::vector<uint32_t> chosen = OneHost(count, wanted, fits);
  if (!chosen.empty()) {
    return chosen;
  }
  size_t most = 0;
  for (const Family& family : families_) most = std::max(most, family.heads.size());
  // The fullest hosts first are the fewest hosts.
  for (size_t free = most; free-- > 1;) {
    for (const Family& family : families_) {
      if (free >= family.heads.size() || !wanted(family.name)) continue;
      for (uint32_t i = family.heads[free]; i != kNone; i = bays_[i].next) {
        for (const uint32_t pool : Usable(bays_[i], fits)) {
          chosen.push_back(pool);
          if (chosen.size() == count) return chosen;
        }
      }
    }
  }
  return {};
}

}  // namespace switchyard::scheduler
