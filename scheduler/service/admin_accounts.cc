// Tenants and keys.
#include <algorithm>
#include <set>
#include <utility>

#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/admin_service.h"
#include "scheduler/service/admin_view.h"
#include "scheduler/service/commands.h"

namespace switchyard::scheduler {
namespace {

const TenantView* FindTenant(const AccountsView& accounts, const std::string& name) {
  for (const TenantView& tenant : accounts.tenants) {
    if (tenant.settings.name == name) return &tenant;
  }
  return nullptr;
}

const KeyView* FindKey(const AccountsView& accounts, const ListedKey& facts) {
  for (const KeyView& key : accounts.keys) {
    if (key.settings.id == facts.id && key.settings.tenant == facts.tenant) return &key;
  }
  return nullptr;
}

}  // namespace

AdminService::AdminService(const Backend& backend) : backend_(backend) { TakeOverKeys(); }

void AdminService::TakeOverKeys() {
  for (const KeyPatch& patch : backend_.live.accounts()->live.keys) {
    const absl::StatusOr<ListedKey> key = backend_.principals.Find(patch.id);
    // A key that has gone from the config leaves its changes behind: it may come back.
    if (!key.ok() || key->tenant != patch.tenant) continue;
    backend_.principals.SetLimits(patch.id, PatchedLimits(key->limits, patch)).IgnoreError();
  }
}

grpc::ServerUnaryReactor* AdminService::Change(grpc::CallbackServerContext& context,
                                               const Principal& principal,
                                               absl::StatusOr<RequestIdentity> identity,
                                               Event event, std::function<absl::Status()> answer) {
  if (!identity.ok()) return FinishWith(context, identity.status());
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  Input input;
  input.event = std::move(event);
  input.tenant = principal.tenant;
  input.request = *std::move(identity);
  PostCommand(backend_, std::move(input), 0,
              [reactor, answer = std::move(answer)](const CommandResult& result) {
                reactor->Finish(ToGrpc(result.status.ok() ? answer() : result.status));
              });
  return reactor;
}

// --- tenants ---

// Of the config, or seen by the core; `default` is always there.
bool AdminService::TenantKnown(const std::string& name) const {
  if (name == "default" || FindTenant(*backend_.live.accounts(), name) != nullptr) return true;
  const std::vector<ListedKey> keys = backend_.principals.Keys();
  return std::any_of(keys.begin(), keys.end(),
                     [&](const ListedKey& key) { return key.tenant == name; });
}

absl::Status AdminService::AnswerTenant(const std::string& name, v1::Tenant* response) const {
  if (!TenantKnown(name)) return NotFound("tenant", name);
  const auto accounts = backend_.live.accounts();
  const TenantView* tenant = FindTenant(*accounts, name);
  WriteTenant(tenant == nullptr ? TenantView{.settings = {.name = name}} : *tenant, response);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* AdminService::ListTenants(grpc::CallbackServerContext* context,
                                                    const v1::ListTenantsRequest*,
                                                    v1::ListTenantsResponse* response) {
  if (const auto admin = Admin(*context); !admin.ok()) return FinishWith(*context, admin.status());
  std::set<std::string> names = {"default"};
  const auto accounts = backend_.live.accounts();
  for (const TenantView& tenant : accounts->tenants) names.insert(tenant.settings.name);
  for (const ListedKey& key : backend_.principals.Keys()) names.insert(key.tenant);
  for (const std::string& name : names) {
    const TenantView* tenant = FindTenant(*accounts, name);
    WriteTenant(tenant == nullptr ? TenantView{.settings = {.name = name}} : *tenant,
                response->add_tenants());
  }
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* AdminService::GetTenant(grpc::CallbackServerContext* context,
                                                  const v1::GetTenantRequest* request,
                                                  v1::Tenant* response) {
  if (const auto admin = Admin(*context); !admin.ok()) return FinishWith(*context, admin.status());
  return FinishWith(*context, AnswerTenant(request->tenant(), response));
}

grpc::ServerUnaryReactor* AdminService::UpdateTenant(grpc::CallbackServerContext* context,
                                                     const v1::UpdateTenantRequest* request,
                                                     v1::Tenant* response) {
  const absl::StatusOr<Principal> admin = Admin(*context);
  if (!admin.ok()) return FinishWith(*context, admin.status());
  absl::StatusOr<TenantPatch> patch = ReadTenantPatch(*request);
  if (!patch.ok()) return FinishWith(*context, patch.status());
  const std::string name = patch->name;
  if (!TenantKnown(name)) return FinishWith(*context, NotFound("tenant", name));
  return Change(*context, *admin, IdentityOf(*context, "UpdateTenant", *request),
                SetTenant{.patch = *std::move(patch)},
                [this, name, response] { return AnswerTenant(name, response); });
}

// --- keys ---

absl::Status AdminService::AnswerKey(const std::string& id, v1::Key* response) const {
  const absl::StatusOr<ListedKey> key = backend_.principals.Find(id);
  if (!key.ok()) return key.status();
  WriteKey(*key, FindKey(*backend_.live.accounts(), *key), response);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* AdminService::ListKeys(grpc::CallbackServerContext* context,
                                                 const v1::ListKeysRequest*,
                                                 v1::ListKeysResponse* response) {
  if (const auto admin = Admin(*context); !admin.ok()) return FinishWith(*context, admin.status());
  const auto accounts = backend_.live.accounts();
  for (const ListedKey& key : backend_.principals.Keys())
    WriteKey(key, FindKey(*accounts, key), response->add_keys());
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* AdminService::GetKey(grpc::CallbackServerContext* context,
                                               const v1::GetKeyRequest* request,
                                               v1::Key* response) {
  if (const auto admin = Admin(*context); !admin.ok()) return FinishWith(*context, admin.status());
  return FinishWith(*context, AnswerKey(request->key(), response));
}

grpc::ServerUnaryReactor* AdminService::UpdateKey(grpc::CallbackServerContext* context,
                                                  const v1::UpdateKeyRequest* request,
                                                  v1::Key* response) {
  const absl::StatusOr<Principal> admin = Admin(*context);
  if (!admin.ok()) return FinishWith(*context, admin.status());
  const absl::StatusOr<ListedKey> key = backend_.principals.Find(request->key().id());
  if (!key.ok()) return FinishWith(*context, key.status());
  absl::StatusOr<KeyPatch> patch = ReadKeyPatch(*request, key->tenant);
  if (!patch.ok()) return FinishWith(*context, patch.status());
  // Counts once it is stored. The engine's thread calls this, so no two changes cross.
  auto answer = [this, patch = *patch, response] {
    const absl::StatusOr<ListedKey> now = backend_.principals.Find(patch.id);
    if (!now.ok()) return now.status();
    const absl::Status set =
        backend_.principals.SetLimits(patch.id, PatchedLimits(now->limits, patch));
    return set.ok() ? AnswerKey(patch.id, response) : set;
  };
  return Change(*context, *admin, IdentityOf(*context, "UpdateKey", *request),
                SetKey{.patch = *std::move(patch)}, std::move(answer));
}

}  // namespace switchyard::scheduler
