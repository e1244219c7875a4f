#include "scheduler/engine/policy_document.h"

#include "switchyard/storage/v1/policy_state.pb.h"

namespace switchyard::scheduler {

namespace stored = storage::v1;

DocumentKey PolicyStateKey() {
  return {.collection = "policy_state", .tenant = "", .id = "policy_state"};
}

std::string EncodePolicyState(const PolicyState& state) {
  stored::PolicyState document;
  document.set_wall_us(state.wall_us);
  document.set_least_charged(state.least_charged);
  for (const TenantUse& use : state.tenants) {
    stored::TenantUse& tenant = *document.add_tenants();
    tenant.set_name(use.name);
    tenant.set_charge(use.charge);
    tenant.set_day(use.day);
    tenant.set_used_us(use.used_us);
  }
  for (const LearnedRecord& record : state.learned) {
    stored::LearnedWork& work = *document.add_learned();
    work.set_kind(record.kind);
    work.set_model(record.model);
    work.set_shape(record.shape);
    work.set_run_us(record.run_us);
    work.set_gap_us(record.gap_us);
    for (const int64_t peak : record.peaks) work.add_peaks(peak);
  }
  return document.SerializeAsString();
}

PolicyState DecodePolicyState(absl::string_view bytes) {
  PolicyState state;
  stored::PolicyState document;
  if (!document.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return state;
  state.wall_us = document.wall_us();
  state.least_charged = document.least_charged();
  for (const stored::TenantUse& tenant : document.tenants()) {
    state.tenants.push_back({.name = tenant.name(),
                             .charge = tenant.charge(),
                             .day = tenant.day(),
                             .used_us = tenant.used_us()});
  }
  for (const stored::LearnedWork& work : document.learned()) {
    LearnedRecord& record = state.learned.emplace_back();
    record.kind = static_cast<uint16_t>(work.kind());
    record.model = work.model();
    record.shape = work.shape();
    record.run_us = work.run_us();
    record.gap_us = work.gap_us();
    record.peaks.assign(work.peaks().begin(), work.peaks().end());
  }
  return state;
}

}  // namespace switchyard::scheduler
