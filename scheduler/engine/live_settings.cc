#include "scheduler/engine/live_settings.h"

#include "switchyard/storage/v1/live_settings.pb.h"

namespace switchyard::scheduler {
namespace {

namespace stored = storage::v1;

void Encode(const TenantPatch& from, stored::TenantPatch& to) {
  to.set_name(from.name);
  if (from.weight) to.set_weight(*from.weight);
  if (from.guaranteed_running) to.set_guaranteed_running(*from.guaranteed_running);
  if (from.max_running) to.set_max_running(*from.max_running);
  if (from.max_queued) to.set_max_queued(*from.max_queued);
  if (from.device_seconds_per_day) to.set_device_seconds_per_day(*from.device_seconds_per_day);
}

TenantPatch Decode(const stored::TenantPatch& from) {
  TenantPatch to{.name = from.name()};
  if (from.has_weight()) to.weight = from.weight();
  if (from.has_guaranteed_running()) to.guaranteed_running = from.guaranteed_running();
  if (from.has_max_running()) to.max_running = from.max_running();
  if (from.has_max_queued()) to.max_queued = from.max_queued();
  if (from.has_device_seconds_per_day()) to.device_seconds_per_day = from.device_seconds_per_day();
  return to;
}

void Encode(const KeyPatch& from, stored::KeyPatch& to) {
  to.set_id(from.id);
  to.set_tenant(from.tenant);
  if (from.max_running) to.set_max_running(*from.max_running);
  if (from.highest_priority) to.set_highest_priority(*from.highest_priority);
  if (from.rate_per_second) to.set_rate_per_second(*from.rate_per_second);
  if (from.burst) to.set_burst(*from.burst);
}

KeyPatch Decode(const stored::KeyPatch& from) {
  KeyPatch to{.id = from.id(), .tenant = from.tenant()};
  if (from.has_max_running()) to.max_running = from.max_running();
  if (from.has_highest_priority()) to.highest_priority = from.highest_priority();
  if (from.has_rate_per_second()) to.rate_per_second = from.rate_per_second();
  if (from.has_burst()) to.burst = from.burst();
  return to;
}

}  // namespace

DocumentKey LiveSettingsKey() { return {.collection = "settings", .tenant = "", .id = "live"}; }

std::string EncodeLiveSettings(const LiveSettings& settings) {
  stored::LiveSettings document;
  for (const auto& patch : settings.tenants) Encode(patch, *document.add_tenants());
  for (const auto& patch : settings.keys) Encode(patch, *document.add_keys());
  for (const PauseRule& rule : settings.pauses) {
    stored::PauseRule& pause = *document.add_pauses();
    pause.set_tenant(rule.tenant);
    pause.set_kind(rule.kind);
    pause.set_create_us(rule.create_us);
  }
  for (const ArrayWidth& array : settings.arrays) {
    stored::ArrayWidth& width = *document.add_arrays();
    width.set_array(array.array);
    width.set_width(array.width);
  }
  return document.SerializeAsString();
}

absl::StatusOr<LiveSettings> DecodeLiveSettings(absl::string_view bytes) {
  stored::LiveSettings document;
  if (!document.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(
        "the stored settings of tenants, keys and pauses cannot be read; restore the scheduler's "
        "data folder from a backup");
  }
  LiveSettings settings;
  for (const stored::TenantPatch& patch : document.tenants())
    settings.tenants.push_back(Decode(patch));
  for (const stored::KeyPatch& patch : document.keys()) settings.keys.push_back(Decode(patch));
  for (const stored::PauseRule& pause : document.pauses()) {
    settings.pauses.push_back({.tenant = pause.tenant(),
                               .kind = static_cast<uint16_t>(pause.kind()),
                               .create_us = pause.create_us()});
  }
  for (const stored::ArrayWidth& width : document.arrays())
    settings.arrays.push_back({width.array(), width.width()});
  return settings;
}

}  // namespace switchyard::scheduler
