// switchyard.v1.AdminService: reads answer from the published snapshots, changes go through the
// engine, which stores them in the commit that answers. Thread-safe; the backend outlives it.
#pragma once

#include <functional>
#include <string>

#include "grpcpp/grpcpp.h"
#include "scheduler/service/backend.h"
#include "switchyard/v1/admin_service.grpc.pb.h"

namespace switchyard::scheduler {

class AdminService final : public v1::AdminService::CallbackService {
 public:
  explicit AdminService(const Backend& backend);

  // Takes over the limits of keys that were changed before this start, or while another scheduler
  // led. Any thread.
  void TakeOverKeys();

  // admin_accounts.cc
  grpc::ServerUnaryReactor* ListTenants(grpc::CallbackServerContext*, const v1::ListTenantsRequest*,
                                        v1::ListTenantsResponse*) override;
  grpc::ServerUnaryReactor* GetTenant(grpc::CallbackServerContext*, const v1::GetTenantRequest*,
                                      v1::Tenant*) override;
  grpc::ServerUnaryReactor* UpdateTenant(grpc::CallbackServerContext*,
                                         const v1::UpdateTenantRequest*, v1::Tenant*) override;
  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext*, const v1::ListKeysRequest*,
                                     v1::ListKeysResponse*) override;
  grpc::ServerUnaryReactor* GetKey(grpc::CallbackServerContext*, const v1::GetKeyRequest*,
                                   v1::Key*) override;
  grpc::ServerUnaryReactor* UpdateKey(grpc::CallbackServerContext*, const v1::UpdateKeyRequest*,
                                      v1::Key*) override;

  // admin_queue.cc
  grpc::ServerUnaryReactor* PauseQueue(grpc::CallbackServerContext*, const v1::PauseQueueRequest*,
                                       v1::ListPausesResponse*) override;
  grpc::ServerUnaryReactor* ResumeQueue(grpc::CallbackServerContext*, const v1::ResumeQueueRequest*,
                                        v1::ListPausesResponse*) override;
  grpc::ServerUnaryReactor* ListPauses(grpc::CallbackServerContext*, const v1::ListPausesRequest*,
                                       v1::ListPausesResponse*) override;
  grpc::ServerUnaryReactor* CordonWorker(grpc::CallbackServerContext*,
                                         const v1::CordonWorkerRequest*, v1::Worker*) override;
  grpc::ServerUnaryReactor* UncordonWorker(grpc::CallbackServerContext*,
                                           const v1::UncordonWorkerRequest*, v1::Worker*) override;
  grpc::ServerUnaryReactor* DrainWorker(grpc::CallbackServerContext*, const v1::DrainWorkerRequest*,
                                        v1::Worker*) override;

 private:
  // Ends the call when its caller lacks `admin`, and gives null then; else who it is.
  absl::StatusOr<Principal> Admin(const grpc::CallbackServerContext& context) const {
    return backend_.principals.Of(context, Scope::kAdmin);
  }
  // Posts a change and ends the call with what `answer` gives after it was committed.
  grpc::ServerUnaryReactor* Change(grpc::CallbackServerContext& context, const Principal& principal,
                                   absl::StatusOr<RequestIdentity> identity, Event event,
                                   std::function<absl::Status()> answer);
  grpc::ServerUnaryReactor* ChangePause(grpc::CallbackServerContext& context,
                                        absl::StatusOr<RequestIdentity> identity,
                                        const std::string& tenant, const std::string& kind,
                                        bool paused, v1::ListPausesResponse* response);
  grpc::ServerUnaryReactor* ChangeCordon(grpc::CallbackServerContext& context,
                                         absl::StatusOr<RequestIdentity> identity, Cordon cordon,
                                         bool lift, v1::Worker* response);
  bool TenantKnown(const std::string& name) const;
  absl::Status AnswerTenant(const std::string& name, v1::Tenant* response) const;
  absl::Status AnswerKey(const std::string& id, v1::Key* response) const;

  const Backend& backend_;
};

}  // namespace switchyard::scheduler
