#include "scheduler/service/key_config.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "scheduler/service/principal.h"

namespace switchyard::scheduler {
namespace {

constexpr size_t kShortestToken = 16;
constexpr size_t kMostKeys = 1000;
constexpr char kIdForm[] = "must be 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit";

bool IsToken(absl::string_view text) {
  return text.size() >= kShortestToken &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

void CheckSecret(const config::v1::Key& key, const std::string& at,
                 std::vector<std::string>& faults) {
  if (key.token().empty() == key.token_sha256().empty()) {
    faults.push_back(absl::StrCat(at, ": give either token or token_sha256"));
  } else if (!key.token().empty() && !IsToken(key.token())) {
    faults.push_back(absl::StrCat(at, ".token: must be at least ", kShortestToken,
                                  " printable characters without spaces"));
  } else if (!key.token_sha256().empty() && !IsSha256Hex(key.token_sha256())) {
    faults.push_back(absl::StrCat(at, ".token_sha256: must be 64 lower-case hexadecimal digits"));
  }
}

void CheckKey(const config::v1::Key& key, const std::string& at, std::vector<std::string>& faults) {
  if (!IsKeyId(key.id())) faults.push_back(absl::StrCat(at, ".id: ", kIdForm));
  if (key.id() == "operator")
    faults.push_back(absl::StrCat(at, ".id: `operator` is taken by the operator's own token"));
  if (!key.tenant().empty() && !IsKeyId(key.tenant()))
    faults.push_back(absl::StrCat(at, ".tenant: ", kIdForm));
  if (key.highest_priority() > 9)
    faults.push_back(absl::StrCat(at, ".highest_priority: must be 1 to 9"));
  if (!(key.rate_per_second() >= 0) || !std::isfinite(key.rate_per_second()))
    faults.push_back(absl::StrCat(at, ".rate_per_second: must not be negative"));
  Scopes scopes;
  for (const std::string& scope : key.scopes()) {
    if (!scopes.Add(absl::string_view(scope))) {
      faults.push_back(absl::StrCat(at, ".scopes: there is no scope `", scope,
                                    "`; there are jobs, admin, commands, commands.network, "
                                    "models.code"));
    }
  }
  CheckSecret(key, at, faults);
}

// The key's bytes decide who calls, so no two may have the same.
void CheckUnique(const config::v1::SchedulerConfig& config, std::vector<std::string>& faults) {
  std::set<std::string> ids;
  std::set<std::string> secrets;
  for (const config::v1::Key& key : config.keys()) {
    if (!ids.insert(key.id()).second)
      faults.push_back(absl::StrCat("keys: the id ", key.id(), " is there twice"));
    const std::string secret =
        key.token_sha256().empty() ? Sha256Hex(key.token()) : key.token_sha256();
    if (!secrets.insert(secret).second)
      faults.push_back(absl::StrCat("keys: ", key.id(), " has the token of another key"));
  }
  std::set<std::string> tenants;
  for (const config::v1::Tenant& tenant : config.tenants()) {
    if (!tenants.insert(tenant.name()).second)
      faults.push_back(absl::StrCat("tenants: ", tenant.name(), " is there twice"));
  }
}

}  // namespace

bool IsKeyId(absl::string_view text) {
  return !text.empty() && text.size() <= 63 && absl::ascii_isalnum(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_';
         });
}

void CheckKeys(const config::v1::SchedulerConfig& config, std::vector<std::string>& faults) {
  if (static_cast<size_t>(config.keys_size()) > kMostKeys)
    faults.push_back(absl::StrCat("keys: must be at most ", kMostKeys));
  for (int i = 0; i < config.keys_size(); ++i)
    CheckKey(config.keys(i), absl::StrCat("keys[", i, "]"), faults);
  for (int i = 0; i < config.tenants_size(); ++i) {
    const config::v1::Tenant& tenant = config.tenants(i);
    const std::string at = absl::StrCat("tenants[", i, "]");
    if (!IsKeyId(tenant.name())) faults.push_back(absl::StrCat(at, ".name: ", kIdForm));
    if (tenant.weight() > 1000) faults.push_back(absl::StrCat(at, ".weight: must be 1 to 1000"));
    if (tenant.max_running() != 0 && tenant.guaranteed_running() > tenant.max_running()) {
      faults.push_back(absl::StrCat(at, ".guaranteed_running: must be at most max_running"));
    }
  }
  CheckUnique(config, faults);
  if (config.require_token() && config.keys().empty() && config.operator_token_file().empty())
    faults.emplace_back("require_token: needs keys, or nobody could call");
}

absl::StatusOr<std::string> ReadOperatorToken(const config::v1::SchedulerConfig& config) {
  const std::string& file = config.operator_token_file();
  if (file.empty()) return std::string();
  const auto fault = [&](absl::string_view what) {
    return absl::FailedPreconditionError(absl::StrCat("operator_token_file ", file, ": ", what));
  };
  struct stat info;
  if (stat(file.c_str(), &info) != 0) return fault("cannot be read");
  if ((info.st_mode & 077) != 0)
    return fault("others may read or write it; chmod 600 it, and change the token if they did");
  std::ifstream in(file);
  std::string token;
  std::getline(in, token);
  if (!IsToken(token)) {
    return fault("its first line must be at least 16 printable characters without spaces");
  }
  return token;
}

std::vector<TenantSettings> TenantsOf(const config::v1::SchedulerConfig& config) {
  std::vector<TenantSettings> tenants;
  for (const config::v1::Tenant& tenant : config.tenants()) {
    tenants.push_back({.name = tenant.name(),
                       .weight = std::max<uint32_t>(tenant.weight(), 1),
                       .guaranteed_running = tenant.guaranteed_running(),
                       .max_running = tenant.max_running(),
                       .max_queued = tenant.max_queued(),
                       .device_seconds_per_day = tenant.device_seconds_per_day()});
  }
  return tenants;
}

std::vector<KeySettings> KeysOf(const config::v1::SchedulerConfig& config) {
  std::vector<KeySettings> keys;
  for (const config::v1::Key& key : config.keys()) {
    keys.push_back({.id = key.id(),
                    .tenant = key.tenant().empty() ? "default" : key.tenant(),
                    .max_running = key.max_running()});
  }
  return keys;
}

}  // namespace switchyard::scheduler
