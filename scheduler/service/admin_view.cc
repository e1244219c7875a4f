#include "scheduler/service/admin_view.h"

#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/kind/kind.h"
#include "common/status/error.h"
#include "google/protobuf/field_mask.pb.h"
#include "scheduler/service/key_config.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/validation/field_faults.h"

namespace switchyard::scheduler {
namespace {

constexpr uint32_t kMostWeight = 1000;

std::string KindName(uint16_t number) {
  const KindTraits* kind = FindKind(static_cast<v1::Job::KindCase>(number));
  return kind == nullptr ? "" : std::string(kind->name);
}

// Which of a message's fields a change is about.
class Mask {
 public:
  Mask(bool given, const google::protobuf::FieldMask& mask, const google::protobuf::Message& body)
      : given_(given && !mask.paths().empty()), body_(body) {
    for (const std::string& path : mask.paths()) paths_.insert(path);
  }
  bool Has(const std::string& field) {
    known_.insert(field);
    if (given_) return paths_.count(field) != 0;
    const auto* descriptor = body_.GetDescriptor()->FindFieldByName(field);
    return body_.GetReflection()->HasField(body_, descriptor);
  }
  // After every Has.
  absl::Status Check() const {
    for (const std::string& path : paths_) {
      if (known_.count(path) == 0) {
        return InvalidField("update_mask",
                            absl::StrCat("\"", Excerpt(path), "\" cannot be changed"));
      }
    }
    return absl::OkStatus();
  }

 private:
  const bool given_;
  const google::protobuf::Message& body_;
  std::set<std::string> paths_, known_;
};

absl::Status NothingToChange() {
  return InvalidField("update_mask", "names nothing to change; 0 is set by naming its field");
}

}  // namespace

void WriteTenant(const TenantView& view, v1::Tenant* message) {
  message->set_name(view.settings.name);
  message->set_weight(view.settings.weight);
  message->set_max_queued(view.settings.max_queued);
  message->set_max_running(view.settings.max_running);
  message->set_device_seconds_per_day(view.settings.device_seconds_per_day);
  message->set_guaranteed_running(view.settings.guaranteed_running);
  v1::TenantUsage* usage = message->mutable_usage();
  usage->set_queued(view.queued);
  usage->set_running(view.running);
  usage->set_devices(view.devices);
  usage->set_charge(view.charge_seconds);
  usage->set_share(view.share);
  usage->set_device_seconds_today(view.device_seconds_today);
}

void WriteKey(const ListedKey& facts, const KeyView* view, v1::Key* message) {
  message->set_id(facts.id);
  message->set_tenant(facts.tenant);
  for (int i = 0; i < kScopes; ++i) {
    const auto scope = static_cast<Scope>(i);
    if (facts.scopes.Has(scope)) message->add_scopes(std::string(ScopeName(scope)));
  }
  message->set_highest_priority(facts.limits.highest_priority);
  message->set_max_running(view == nullptr ? facts.limits.max_running : view->settings.max_running);
  message->set_rate_per_second(facts.limits.rate.per_second);
  message->set_burst(facts.limits.rate.burst);
  message->set_running(view == nullptr ? 0 : view->devices);
  message->set_calls(facts.calls);
  message->set_refused(facts.refused);
}

void WritePauses(const LiveSettings& live, v1::ListPausesResponse* message) {
  for (const PauseRule& rule : live.pauses) {
    v1::Pause* pause = message->add_pauses();
    pause->set_tenant(rule.tenant);
    pause->set_kind(KindName(rule.kind));
    pause->mutable_create_time()->set_seconds(rule.create_us / 1'000'000);
    pause->mutable_create_time()->set_nanos(
        static_cast<int32_t>(rule.create_us % 1'000'000 * 1000));
  }
}

std::string PauseText(const PauseRule& rule) {
  if (rule.tenant.empty() && rule.kind == 0) return "all";
  const std::string tenant = rule.tenant.empty() ? "" : absl::StrCat("tenant=", rule.tenant);
  if (rule.kind == 0) return tenant;
  return absl::StrCat(tenant, tenant.empty() ? "" : " ", "kind=", KindName(rule.kind));
}

absl::StatusOr<TenantPatch> ReadTenantPatch(const v1::UpdateTenantRequest& request) {
  const v1::Tenant& tenant = request.tenant();
  FieldFaults faults("tenant");
  if (!IsKeyId(tenant.name())) faults.Add("name", "must be a tenant's name");
  Mask mask(request.has_update_mask(), request.update_mask(), tenant);
  TenantPatch patch{.name = tenant.name()};
  if (mask.Has("weight")) {
    patch.weight = tenant.weight();
    if (tenant.weight() == 0 || tenant.weight() > kMostWeight)
      faults.Add("weight", "must be 1 to 1000");
  }
  if (mask.Has("max_queued")) patch.max_queued = tenant.max_queued();
  if (mask.Has("max_running")) patch.max_running = tenant.max_running();
  if (mask.Has("guaranteed_running")) patch.guaranteed_running = tenant.guaranteed_running();
  if (mask.Has("device_seconds_per_day"))
    patch.device_seconds_per_day = tenant.device_seconds_per_day();
  if (absl::Status status = mask.Check(); !status.ok()) return status;
  if (!faults.empty()) return faults.ToStatus();
  if (patch == TenantPatch{.name = patch.name}) return NothingToChange();
  return patch;
}

absl::StatusOr<KeyPatch> ReadKeyPatch(const v1::UpdateKeyRequest& request,
                                      const std::string& tenant) {
  const v1::Key& key = request.key();
  FieldFaults faults("key");
  Mask mask(request.has_update_mask(), request.update_mask(), key);
  KeyPatch patch{.id = key.id(), .tenant = tenant};
  if (mask.Has("highest_priority")) {
    patch.highest_priority = key.highest_priority();
    if (key.highest_priority() < 1 || key.highest_priority() > 9)
      faults.Add("highest_priority", "must be 1 to 9");
  }
  if (mask.Has("max_running")) patch.max_running = key.max_running();
  if (mask.Has("rate_per_second")) {
    patch.rate_per_second = key.rate_per_second();
    if (!(key.rate_per_second() >= 0) || !std::isfinite(key.rate_per_second()))
      faults.Add("rate_per_second", "must not be negative");
  }
  if (mask.Has("burst")) patch.burst = key.burst();
  if (absl::Status status = mask.Check(); !status.ok()) return status;
  if (!faults.empty()) return faults.ToStatus();
  if (patch == KeyPatch{.id = patch.id, .tenant = patch.tenant}) return NothingToChange();
  return patch;
}

KeyLimits PatchedLimits(KeyLimits limits, const KeyPatch& patch) {
  limits.highest_priority = patch.highest_priority.value_or(limits.highest_priority);
  limits.max_running = patch.max_running.value_or(limits.max_running);
  limits.rate.per_second = patch.rate_per_second.value_or(limits.rate.per_second);
  limits.rate.burst = patch.burst.value_or(limits.rate.burst);
  return limits;
}

absl::StatusOr<PauseRule> ReadPause(const std::string& tenant, const std::string& kind) {
  if (!tenant.empty() && !IsKeyId(tenant)) return InvalidField("tenant", "must be a tenant's name");
  PauseRule rule{.tenant = tenant};
  if (kind.empty()) return rule;
  const KindTraits* found = FindKind(absl::string_view(kind));
  if (found == nullptr)
    return InvalidField("kind", absl::StrCat("there is no kind \"", Excerpt(kind), "\""));
  rule.kind = static_cast<uint16_t>(found->field);
  return rule;
}

}  // namespace switchyard::scheduler
