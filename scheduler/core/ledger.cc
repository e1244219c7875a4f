#include "scheduler/core/ledger.h"

#include <algorithm>
#include <iterator>

namespace switchyard::scheduler {

uint32_t Ledgers::Open(absl::string_view id, int64_t total_bytes) {
  if (id.empty()) {
    const uint32_t own = ledgers_.Add();
    ledgers_[own].total_bytes = std::max<int64_t>(0, total_bytes);
    ledgers_[own].users = 1;
    return own;
  }
  const auto [found, first] = shared_.try_emplace(std::string(id.data(), id.size()), kNone);
  if (first) {
    found->second = ledgers_.Add();
    ledgers_[found->second].id = found->first;
    ledgers_[found->second].held_back = missing_.count(found->first) > 0;
  }
  Ledger& ledger = ledgers_[found->second];
  ledger.total_bytes = std::max(ledger.total_bytes, total_bytes);
  ++ledger.users;
  return found->second;
}

void Ledgers::Close(uint32_t number) {
  Ledger& ledger = ledgers_[number];
  if (--ledger.users > 0) return;
  if (!ledger.id.empty()) shared_.erase(ledger.id);
  ledgers_.Remove(number);
}

void Ledgers::Expect(const std::vector<LedgerUser>& users) {
  for (const LedgerUser& user : users) missing_[user.ledger].insert(user.worker);
}

std::vector<uint32_t> Ledgers::Release(
    std::map<std::string, std::set<std::string>>::iterator missing) {
  const auto ledger = shared_.find(missing->first);
  missing_.erase(missing);
  if (ledger == shared_.end()) return {};
  ledgers_[ledger->second].held_back = false;
  return {ledger->second};
}

std::vector<uint32_t> Ledgers::Back(const std::string& worker) {
  std::vector<uint32_t> released;
  for (auto missing = missing_.begin(); missing != missing_.end();) {
    const auto next = std::next(missing);
    if (missing->second.erase(worker) > 0 && missing->second.empty()) {
      for (const uint32_t ledger : Release(missing)) released.push_back(ledger);
    }
    missing = next;
  }
  return released;
}

std::vector<uint32_t> Ledgers::GiveUpMissing() {
  std::vector<uint32_t> released;
  while (!missing_.empty()) {
    for (const uint32_t ledger : Release(missing_.begin())) released.push_back(ledger);
  }
  return released;
}

}  // namespace switchyard::scheduler
