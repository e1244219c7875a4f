#include "cli/format/admin_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

// "12/100", or "12" without a limit.
std::string OfLimit(const std::string& used, uint64_t limit) {
  return limit == 0 ? used : absl::StrCat(used, "/", limit);
}

std::string OrAll(const std::string& text) { return text.empty() ? "all" : text; }

std::string RateText(const v1::Key& key) {
  if (key.rate_per_second() == 0) return "";
  return absl::StrFormat("%.6g/s%s", key.rate_per_second(),
                         key.burst() == 0 ? "" : absl::StrCat(", burst ", key.burst()));
}

}  // namespace

std::string TenantsTable(const google::protobuf::RepeatedPtrField<v1::Tenant>& tenants) {
  Table table({"TENANT", ">WEIGHT", ">SHARE", ">CHARGE", ">QUEUED", ">RUNNING", ">DEVICE-S TODAY"});
  for (const v1::Tenant& tenant : tenants) {
    const v1::TenantUsage& usage = tenant.usage();
    table.Add({tenant.name(), absl::StrCat(tenant.weight()), PercentText(usage.share()),
               absl::StrFormat("%.1f", usage.charge()),
               OfLimit(absl::StrCat(usage.queued()), tenant.max_queued()),
               OfLimit(absl::StrCat(usage.running()), tenant.max_running()),
               OfLimit(absl::StrFormat("%.1f", usage.device_seconds_today()),
                       tenant.device_seconds_per_day())});
  }
  return table.Text();
}

std::string KeysTable(const google::protobuf::RepeatedPtrField<v1::Key>& keys) {
  if (keys.empty()) {
    return "no key is configured: every caller on this machine is the tenant `default`; "
           "docs/access.md tells how to make some\n";
  }
  Table table(
      {"KEY", "TENANT", "SCOPES", ">HIGHEST PRIORITY", ">RUNNING", ">RATE", ">CALLS", ">REFUSED"});
  for (const v1::Key& key : keys) {
    table.Add({key.id(), key.tenant(), absl::StrJoin(key.scopes(), ","),
               absl::StrCat(key.highest_priority()),
               OfLimit(absl::StrCat(key.running()), key.max_running()), RateText(key),
               absl::StrCat(key.calls()), absl::StrCat(key.refused())});
  }
  return table.Text();
}

std::string PausesTable(const google::protobuf::RepeatedPtrField<v1::Pause>& pauses,
                        absl::Time now) {
  if (pauses.empty()) return "nothing is paused\n";
  Table table({"TENANT", "KIND", ">SINCE"});
  for (const v1::Pause& pause : pauses) {
    table.Add({OrAll(pause.tenant()), OrAll(pause.kind()),
               DurationText(now - FromProto(pause.create_time()))});
  }
  return table.Text();
}

}  // namespace switchyard::cli
