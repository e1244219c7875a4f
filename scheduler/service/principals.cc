#include "scheduler/service/principals.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

constexpr char kMetadata[] = "authorization";
constexpr uint32_t kDefaultHighestPriority = 3;
constexpr const char* kScopeNames[kScopes] = {"jobs", "admin", "commands", "commands.network",
                                              "models.code"};

// Whole, wherever they first differ.
bool SameBytes(absl::string_view a, absl::string_view b) {
  unsigned char different = a.size() == b.size() ? 0 : 1;
  const size_t size = std::min(a.size(), b.size());
  for (size_t i = 0; i < size; ++i) different |= static_cast<unsigned char>(a[i] ^ b[i]);
  return different == 0;
}

absl::Status Unknown(absl::string_view reason, absl::string_view message) {
  return MakeError(absl::StatusCode::kUnauthenticated, reason, message);
}

KeyLimits LimitsOf(const config::v1::Key& key) {
  KeyLimits limits;
  limits.highest_priority =
      key.highest_priority() == 0 ? kDefaultHighestPriority : key.highest_priority();
  limits.max_running = key.max_running();
  limits.rate = {.per_second = key.rate_per_second(), .burst = key.burst()};
  return limits;
}

}  // namespace

absl::string_view ScopeName(Scope scope) { return kScopeNames[static_cast<int>(scope)]; }

bool Scopes::Add(absl::string_view name) {
  for (int i = 0; i < kScopes; ++i) {
    if (name != kScopeNames[i]) continue;
    Add(static_cast<Scope>(i));
    return true;
  }
  return false;
}

absl::Status RequireScope(const Principal& principal, Scope needed) {
  if (principal.scopes.Has(needed)) return absl::OkStatus();
  const absl::string_view scope = ScopeName(needed);
  const std::string who = principal.key.empty() ? "a caller without a key"
                                                : absl::StrCat("the key `", principal.key, "`");
  return MakeError(absl::StatusCode::kPermissionDenied, "SCOPE_MISSING",
                   absl::StrCat(who, " lacks the scope `", scope,
                                "`; use a key that has it, or add it to the key's scopes in the "
                                "scheduler's config"),
                   {{"scope", scope}, {"key", principal.key}});
}

struct Principals::Entry {
  std::string id;
  std::string tenant;
  Scopes scopes;
  std::string sha256;  // 32 bytes.
  bool listed = true;
  mutable Mutex mutex;
  KeyLimits limits GUARDED_BY(mutex);
  mutable TokenBucket bucket GUARDED_BY(mutex);
  mutable uint64_t calls GUARDED_BY(mutex) = 0;
  mutable uint64_t refused GUARDED_BY(mutex) = 0;

  ListedKey View() const {
    MutexLock lock(mutex);
    return {id, tenant, scopes, limits, calls, refused};
  }
};

Principals::Principals(const config::v1::SchedulerConfig& config, absl::string_view operator_token,
                       Clock& clock, const Leadership& leadership)
    : clock_(clock), leadership_(leadership), require_token_(config.require_token()) {
  const uint32_t highest = config.highest_priority() == 0 ? 1 : config.highest_priority();
  tokenless_ = {
      .tenant = "default", .key = "", .highest_priority = highest, .scopes = {Scope::kJobs}};
  // With keys somebody holds `admin`; without any the machine's user is trusted with it.
  if (config.keys().empty()) tokenless_.scopes.Add(Scope::kAdmin);
  for (const config::v1::Key& key : config.keys()) {
    auto entry = std::make_unique<Entry>();
    entry->id = key.id();
    entry->tenant = key.tenant().empty() ? "default" : key.tenant();
    entry->sha256 = key.token_sha256().empty() ? Sha256Bytes(key.token())
                                               : absl::HexStringToBytes(key.token_sha256());
    for (const std::string& scope : key.scopes()) entry->scopes.Add(absl::string_view(scope));
    if (key.scopes().empty()) entry->scopes.Add(Scope::kJobs);
    {
      MutexLock lock(entry->mutex);
      entry->limits = LimitsOf(key);
    }
    entries_.push_back(std::move(entry));
  }
  if (!operator_token.empty()) {
    auto entry = std::make_unique<Entry>();
    entry->id = "operator";
    entry->tenant = "default";
    entry->sha256 = Sha256Bytes(operator_token);
    entry->scopes = Scopes::All();
    entry->listed = false;
    {
      MutexLock lock(entry->mutex);
      entry->limits = {.highest_priority = 1};
    }
    entries_.push_back(std::move(entry));
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const auto& a, const auto& b) { return a->id < b->id; });
}

Principals::~Principals() = default;

const Principals::Entry* Principals::Match(absl::string_view token) const {
  const std::string shown = Sha256Bytes(token);
  const Entry* match = nullptr;
  for (const auto& entry : entries_) {
    if (SameBytes(entry->sha256, shown)) match = entry.get();
  }
  return match;
}

absl::Status Principals::CountCall(const Entry& entry) const {
  MutexLock lock(entry.mutex);
  ++entry.calls;
  const int64_t wait_us =
      TakeToken(entry.bucket, entry.limits.rate, absl::ToInt64Microseconds(clock_.BootTime()));
  if (wait_us == 0) return absl::OkStatus();
  ++entry.refused;
  const std::string rate = absl::StrCat(entry.limits.rate.per_second);
  return WithRetryDelay(MakeError(absl::StatusCode::kResourceExhausted, "RATE_LIMITED",
                                  absl::StrCat("the key `", entry.id, "` may make ", rate,
                                               " calls a second; try again after the delay"),
                                  {{"key", entry.id}, {"rate_per_second", rate}}),
                        absl::Microseconds(wait_us));
}

absl::StatusOr<Principal> Principals::Authenticate(absl::string_view authorization) const {
  if (authorization.empty()) {
    if (!require_token_) return tokenless_;
    return Unknown("TOKEN_REQUIRED",
                   "a token is required here: send `authorization: Bearer TOKEN`");
  }
  const size_t space = authorization.find(' ');
  if (space == absl::string_view::npos ||
      !absl::EqualsIgnoreCase(authorization.substr(0, space), "bearer")) {
    return Unknown("TOKEN_MALFORMED", "`authorization` must be `Bearer TOKEN`");
  }
  const Entry* entry = Match(absl::StripAsciiWhitespace(authorization.substr(space + 1)));
  if (entry == nullptr) {
    return Unknown(
        "TOKEN_UNKNOWN",
        "the token is not known here; check it, or call without one where that is let in");
  }
  if (absl::Status status = CountCall(*entry); !status.ok()) return status;
  MutexLock lock(entry->mutex);
  return Principal{.tenant = entry->tenant,
                   .key = entry->id,
                   .highest_priority = entry->limits.highest_priority,
                   .scopes = entry->scopes};
}

absl::StatusOr<Principal> Principals::Standing(const std::string& tenant,
                                               const std::string& key) const {
  if (key.empty() && !require_token_ && tenant == tokenless_.tenant) return tokenless_;
  for (const auto& entry : entries_) {
    if (key.empty() || entry->id != key || entry->tenant != tenant) continue;
    MutexLock lock(entry->mutex);
    return Principal{.tenant = entry->tenant,
                     .key = entry->id,
                     .highest_priority = entry->limits.highest_priority,
                     .scopes = entry->scopes};
  }
  const std::string what = key.empty()
                               ? std::string("it was made without a token, and one is required now")
                               : absl::StrCat("the key `", key, "` that made it is gone");
  return MakeError(absl::StatusCode::kPermissionDenied, "KEY_GONE",
                   absl::StrCat(what, "; make it again with a key that may"), {{"key", key}});
}

absl::StatusOr<Principal> Principals::Of(const grpc::ServerContextBase& context) const {
  if (LeadingTerm(leadership_, clock_) == 0) return NotLeader(leadership_);
  const auto found = context.client_metadata().find(kMetadata);
  if (found == context.client_metadata().end()) return Authenticate("");
  // An empty header is no token, but whoever sent it meant to send one.
  const absl::string_view shown(found->second.data(), found->second.size());
  return Authenticate(shown.empty() ? " " : shown);
}

absl::StatusOr<Principal> Principals::Of(const grpc::ServerContextBase& context,
                                         Scope needed) const {
  absl::StatusOr<Principal> principal = Of(context);
  if (!principal.ok()) return principal;
  if (absl::Status status = RequireScope(*principal, needed); !status.ok()) return status;
  return principal;
}

std::vector<ListedKey> Principals::Keys() const {
  std::vector<ListedKey> keys;
  for (const auto& entry : entries_) {
    if (entry->listed) keys.push_back(entry->View());
  }
  return keys;
}

absl::StatusOr<ListedKey> Principals::Find(absl::string_view id) const {
  for (const auto& entry : entries_) {
    if (entry->listed && entry->id == id) return entry->View();
  }
  return NotFound("key", id);
}

absl::Status Principals::SetLimits(absl::string_view id, const KeyLimits& limits) {
  for (const auto& entry : entries_) {
    if (!entry->listed || entry->id != id) continue;
    MutexLock lock(entry->mutex);
    entry->limits = limits;
    return absl::OkStatus();
  }
  return NotFound("key", id);
}

}  // namespace switchyard::scheduler
