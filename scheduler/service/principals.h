// The only place that makes a principal: from the configuration's keys and the token a call shows.
//
// Tokens are held and compared as SHA-256: every known one is compared whole whatever was shown, so
// that the time taken tells nothing of them. Limits of keys may be changed while calls come.
//
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "grpcpp/server_context.h"
#include "scheduler/engine/leadership.h"
#include "scheduler/policy/rate_limit.h"
#include "scheduler/service/principal.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard::scheduler {

// What of a key may be changed while it is in use.
struct KeyLimits {
  uint32_t highest_priority = 3;
  uint32_t max_running = 0;  // 0: no limit. Kept here for those who look; the core enforces it.
  RateLimit rate;
};

// A key as people may see it: never its token.
struct ListedKey {
  std::string id;
  std::string tenant;
  Scopes scopes;
  KeyLimits limits;
  uint64_t calls = 0;    // Since the start.
  uint64_t refused = 0;  // Of these, refused for their rate.
};

class Principals {
 public:
  // REQUIRES: `config` is completed; `operator_token` is what operator_token_file holds, or empty.
  // The others are borrowed.
  Principals(const config::v1::SchedulerConfig& config, absl::string_view operator_token,
             Clock& clock, const Leadership& leadership = AloneLeads());
  ~Principals();

  // Who makes this call; counts it. UNAUTHENTICATED: the token is not known, or one is required.
  // PERMISSION_DENIED (reason SCOPE_MISSING): the key lacks `needed`. RESOURCE_EXHAUSTED (reason
  // RATE_LIMITED, with a retry delay): the key calls too often. UNAVAILABLE (reason NOT_LEADER):
  // another scheduler is to be asked; only one that leads answers calls. To be asked once a call.
  absl::StatusOr<Principal> Of(const grpc::ServerContextBase& context, Scope needed) const;

  // The same for calls that any caller may make who is let in at all.
  absl::StatusOr<Principal> Of(const grpc::ServerContextBase& context) const;

  // The same from the header's text, empty for none.
  absl::StatusOr<Principal> Authenticate(absl::string_view authorization) const;

  // What a key stands for now: for work that its caller left behind, as schedules do. `key` as in
  // Principal, empty for calls without a token. PERMISSION_DENIED (reason KEY_GONE): there is no
  // such key of the tenant any more, or none may call without one. Not counted as a call.
  absl::StatusOr<Principal> Standing(const std::string& tenant, const std::string& key) const;

  // By id. `operator` is not among them.
  std::vector<ListedKey> Keys() const;
  // NOT_FOUND. For calls from now on.
  absl::StatusOr<ListedKey> Find(absl::string_view id) const;
  absl::Status SetLimits(absl::string_view id, const KeyLimits& limits);

 private:
  struct Entry;

  const Entry* Match(absl::string_view token) const;
  absl::Status CountCall(const Entry& entry) const;

  Clock& clock_;
  const Leadership& leadership_;
  std::vector<std::unique_ptr<Entry>> entries_;  // By id; fixed after the constructor.
  Principal tokenless_;
  bool require_token_ = false;
};

// PERMISSION_DENIED, reason SCOPE_MISSING, when `principal` lacks `needed`.
absl::Status RequireScope(const Principal& principal, Scope needed);

}  // namespace switchyard::scheduler
