// Who calls, and what that caller may do. A caller shows a key's token as `authorization: Bearer
// TOKEN`, which gateways pass on; a caller without one is the tenant `default`.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::scheduler {

// A right of a key; names as in the configuration.
enum class Scope : uint8_t {
  kJobs,             // `jobs`: the tenant's jobs, artifacts and models.
  kAdmin,            // `admin`: the admin API, limits.
  kCommands,         // `commands`: jobs of kind command.
  kCommandsNetwork,  // `commands.network`: such jobs with network.
  kModelsCode,       // `models.code`: models that carry code.
};
inline constexpr int kScopes = 5;

absl::string_view ScopeName(Scope scope);

// A set of scopes. A value.
class Scopes {
 public:
  Scopes() = default;
  Scopes(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) Add(scope);
  }
  static Scopes All() {
    Scopes all;
    for (int i = 0; i < kScopes; ++i) all.Add(static_cast<Scope>(i));
    return all;
  }
  void Add(Scope scope) { bits_ |= 1u << static_cast<int>(scope); }
  // False: there is no scope of that name.
  bool Add(absl::string_view name);
  bool Has(Scope scope) const { return (bits_ >> static_cast<int>(scope) & 1) != 0; }

 private:
  uint32_t bits_ = 0;
};

struct Principal {
  std::string tenant;             // Who is charged.
  std::string key;                // Id of the key; empty: none was shown.
  uint32_t highest_priority = 1;  // Most urgent priority its jobs may have.
  Scopes scopes;
};

}  // namespace switchyard::scheduler
