// How tenants, keys and pauses look from outside, and the form of their changes. Thread-safe: pure
// functions.
#pragma once

#include "absl/status/statusor.h"
#include "scheduler/core/fleet.h"
#include "scheduler/service/principals.h"
#include "switchyard/v1/admin_service.pb.h"

namespace switchyard::scheduler {

void WriteTenant(const TenantView& view, v1::Tenant* message);
// `view` null: no job of the key has come since the start.
void WriteKey(const ListedKey& facts, const KeyView* view, v1::Key* message);
void WritePauses(const LiveSettings& live, v1::ListPausesResponse* message);
// "all", "tenant=a", "kind=train", "tenant=a kind=train".
std::string PauseText(const PauseRule& rule);

// INVALID_ARGUMENT names every field at fault; an empty mask takes the fields that the body sets.
absl::StatusOr<TenantPatch> ReadTenantPatch(const v1::UpdateTenantRequest& request);
absl::StatusOr<KeyPatch> ReadKeyPatch(const v1::UpdateKeyRequest& request,
                                      const std::string& tenant);
// `limits` with what `patch` sets.
KeyLimits PatchedLimits(KeyLimits limits, const KeyPatch& patch);
// INVALID_ARGUMENT for an unknown kind.
absl::StatusOr<PauseRule> ReadPause(const std::string& tenant, const std::string& kind);

}  // namespace switchyard::scheduler
