#include "scheduler/engine/request_lookup.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/engine/engine.h"

namespace switchyard::scheduler {
namespace {

// None of the parts can hold a zero byte: tenants and methods are ours, ids are printable.
std::string NameOf(const Input& input) {
  const absl::string_view separator("\0", 1);
  return absl::StrCat(input.tenant, separator, input.request.method, separator,
                      input.request.request_id);
}

}  // namespace

void RequestLookup::Load(JobStore& store, const std::deque<Input>& inbox, size_t count) {
  std::vector<RequestKey> keys;
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    const Input& input = inbox[i];
    if (input.request.request_id.empty()) continue;
    keys.push_back({input.tenant, input.request.method, input.request.request_id});
    names.push_back(NameOf(input));
  }
  if (keys.empty()) return;
  absl::StatusOr<std::vector<std::optional<RequestRow>>> rows = store.FindRequests(keys);
  if (!rows.ok()) return LoadEach(store, keys, names);
  for (size_t i = 0; i < rows->size(); ++i) {
    if ((*rows)[i].has_value()) stored_[names[i]] = *std::move((*rows)[i]);
  }
}

void RequestLookup::LoadEach(JobStore& store, const std::vector<RequestKey>& keys,
                             const std::vector<std::string>& names) {
  for (size_t i = 0; i < keys.size(); ++i) {
    absl::StatusOr<std::vector<std::optional<RequestRow>>> row = store.FindRequests({keys[i]});
    if (!row.ok()) {
      unreadable_[names[i]] = row.status();
    } else if (row->front().has_value()) {
      stored_[names[i]] = *std::move(row->front());
    }
  }
}

RequestLookup::Finding RequestLookup::Find(const Input& input) const {
  Finding finding;
  if (input.request.request_id.empty()) return finding;
  const std::string name = NameOf(input);
  const auto unreadable = unreadable_.find(name);
  if (unreadable != unreadable_.end()) {
    finding.kind = Finding::kUnreadable;
    finding.status = unreadable->second;
    return finding;
  }
  const auto stored = stored_.find(name);
  if (stored != stored_.end()) {
    const bool same = stored->second.body_sha256 == input.request.body_sha256;
    finding.kind = same ? Finding::kStored : Finding::kOtherBody;
    if (same) finding.row = stored->second;
    return finding;
  }
  const auto claimed = claimed_.find(name);
  if (claimed == claimed_.end()) return finding;
  const bool same = claimed->second.body_sha256 == input.request.body_sha256;
  finding.kind = same ? Finding::kClaimed : Finding::kOtherBody;
  finding.claimer = claimed->second.index;
  return finding;
}

void RequestLookup::Claim(const Input& input, size_t index) {
  if (input.request.request_id.empty()) return;
  claimed_[NameOf(input)] = {input.request.body_sha256, index};
}

}  // namespace switchyard::scheduler
