#include "scheduler/service/fleet_service.h"

#include <algorithm>

#include "common/rpc/status.h"
#include "scheduler/service/admin_view.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/fleet_view.h"
#include "scheduler/service/update_limits.h"

namespace switchyard::scheduler {

// The fleet is the same for all tenants: whoever is let in may look.
absl::Status FleetService::Known(const grpc::CallbackServerContext& context) const {
  return backend_.principals.Of(context).status();
}

grpc::ServerUnaryReactor* FleetService::ListDevices(grpc::CallbackServerContext* context,
                                                    const v1::ListDevicesRequest*,
                                                    v1::ListDevicesResponse* response) {
  if (absl::Status known = Known(*context); !known.ok()) return FinishWith(*context, known);
  for (const WorkerView& worker : backend_.live.fleet()->workers) {
    if (!worker.attached) continue;
    for (const DeviceView& device : worker.devices)
      AddDevice(worker, device, response->add_devices());
  }
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* FleetService::ListWorkers(grpc::CallbackServerContext* context,
                                                    const v1::ListWorkersRequest*,
                                                    v1::ListWorkersResponse* response) {
  if (absl::Status known = Known(*context); !known.ok()) return FinishWith(*context, known);
  for (const WorkerView& worker : backend_.live.fleet()->workers)
    AddWorker(worker, response->add_workers());
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* FleetService::ListSchedulers(grpc::CallbackServerContext* context,
                                                       const v1::ListSchedulersRequest*,
                                                       v1::ListSchedulersResponse* response) {
  if (absl::Status known = Known(*context); !known.ok()) return FinishWith(*context, known);
  WriteSchedulers(backend_.leadership.Present(), backend_.leadership.Schedulers(),
                  backend_.clock.Now(), response);
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* FleetService::GetQueue(grpc::CallbackServerContext* context,
                                                 const v1::GetQueueRequest*, v1::Queue* response) {
  if (absl::Status known = Known(*context); !known.ok()) return FinishWith(*context, known);
  WriteQueue(*backend_.live.fleet(), backend_.clock.Now(), response);
  for (const PauseRule& rule : backend_.live.accounts()->live.pauses)
    response->add_paused(PauseText(rule));
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* FleetService::GetLimits(grpc::CallbackServerContext* context,
                                                  const v1::GetLimitsRequest*,
                                                  v1::Limits* response) {
  if (absl::Status known = Known(*context); !known.ok()) return FinishWith(*context, known);
  WriteLimits(backend_.live.fleet()->limits, response);
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* FleetService::UpdateLimits(grpc::CallbackServerContext* context,
                                                     const v1::UpdateLimitsRequest* request,
                                                     v1::Limits* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kAdmin);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<scheduler::UpdateLimits> command = ReadUpdateLimits(*request);
  if (!command.ok()) return FinishWith(*context, command.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "UpdateLimits", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Input input;
  input.event = std::move(*command);
  input.tenant = principal->tenant;
  input.request = std::move(*identity);
  PostCommand(backend_, std::move(input), 0,
              [this, reactor, response](const CommandResult& result) {
                if (!result.status.ok()) return reactor->Finish(ToGrpc(result.status));
                // From the store: the snapshot may not have been renewed yet.
                const absl::Status taken = backend_.readers.Run([this, reactor, response] {
                  const absl::StatusOr<std::vector<LimitRow>> rows = backend_.store.GetLimits();
                  if (rows.ok()) WriteLimits(*rows, response);
                  reactor->Finish(ToGrpc(rows.status()));
                });
                if (!taken.ok()) reactor->Finish(ToGrpc(taken));
              });
  return reactor;
}

}  // namespace switchyard::scheduler
