#include "cli/commands/commands.h"
#include "cli/format/admin_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Tenants final : public Command {
 public:
  std::string name() const override { return "tenants"; }
  std::string summary() const override { return "Tenants: weights, quotas, what they use"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::ListTenantsResponse> tenants = session.client().ListTenants();
    if (!tenants.ok()) return tenants.status();
    session.out << (session.json ? ToJsonText(*tenants) : TenantsTable(tenants->tenants()));
    return ExitCode::kOk;
  }
};

class TenantsSet final : public Command {
 public:
  std::string name() const override { return "tenants set"; }
  std::string summary() const override {
    return "Change a tenant's weight and quotas; at once and for good";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("TENANT", &name_, "Its name", Need::kRequired);
    flags.Number("--weight", &weight_, "Share of device time relative to others', 1 to 1000");
    flags.Number("--max-queued", &max_queued_, "Most jobs waiting; 0: no limit of its own");
    flags.Number("--max-running", &max_running_, "Most jobs running; 0: no limit");
    flags.Number("--device-seconds-per-day", &device_seconds_,
                 "Device-seconds in a UTC day; 0: no limit");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::UpdateTenantRequest request;
    request.set_request_id(NewRequestId());
    v1::Tenant& tenant = *request.mutable_tenant();
    tenant.set_name(name_);
    const auto take = [&](const std::optional<uint64_t>& value, const char* field, auto set) {
      if (!value.has_value()) return;
      set(*value);
      request.mutable_update_mask()->add_paths(field);
    };
    take(weight_, "weight", [&](uint64_t v) { tenant.set_weight(static_cast<uint32_t>(v)); });
    take(max_queued_, "max_queued", [&](uint64_t v) { tenant.set_max_queued(v); });
    take(max_running_, "max_running",
         [&](uint64_t v) { tenant.set_max_running(static_cast<uint32_t>(v)); });
    take(device_seconds_, "device_seconds_per_day",
         [&](uint64_t v) { tenant.set_device_seconds_per_day(v); });
    if (request.update_mask().paths().empty())
      return absl::InvalidArgumentError("nothing to change: see `switchyard tenants set --help`");
    const absl::StatusOr<v1::Tenant> changed = session.client().UpdateTenant(request);
    if (!changed.ok()) return changed.status();
    v1::ListTenantsResponse one;
    *one.add_tenants() = *changed;
    session.out << (session.json ? ToJsonText(*changed) : TenantsTable(one.tenants()));
    return ExitCode::kOk;
  }

 private:
  std::string name_;
  std::optional<uint64_t> weight_, max_queued_, max_running_, device_seconds_;
};

}  // namespace

std::unique_ptr<Command> MakeTenants() { return std::make_unique<Tenants>(); }
std::unique_ptr<Command> MakeTenantsSet() { return std::make_unique<TenantsSet>(); }

}  // namespace switchyard::cli
