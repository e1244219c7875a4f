// Pauses of the queue, cordons and drains of workers.
#include <algorithm>
#include <utility>

#include "common/status/error.h"
#include "scheduler/service/admin_service.h"
#include "scheduler/service/admin_view.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/fleet_view.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kDefaultDrainUs = 600'000'000;
constexpr int64_t kLongestDrainUs = 24LL * 3600 * 1'000'000;

absl::StatusOr<int64_t> ReadDrainTime(const v1::DrainWorkerRequest& request) {
  if (!request.has_timeout()) return kDefaultDrainUs;
  const google::protobuf::Duration& timeout = request.timeout();
  if (!IsLength(timeout) || timeout.seconds() * 1'000'000 > kLongestDrainUs)
    return InvalidField("timeout", "must be 0 to 24 h");
  return timeout.seconds() * 1'000'000 + timeout.nanos() / 1000;
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::ChangePause(grpc::CallbackServerContext& context,
                                                    absl::StatusOr<RequestIdentity> identity,
                                                    const std::string& tenant,
                                                    const std::string& kind, bool paused,
                                                    v1::ListPausesResponse* response) {
  const absl::StatusOr<Principal> admin = Admin(context);
  if (!admin.ok()) return FinishWith(context, admin.status());
  absl::StatusOr<PauseRule> rule = ReadPause(tenant, kind);
  if (!rule.ok()) return FinishWith(context, rule.status());
  scheduler::PauseQueue event{.rule = *std::move(rule), .paused = paused};
  return Change(context, *admin, std::move(identity), std::move(event), [this, response] {
    WritePauses(backend_.live.accounts()->live, response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::PauseQueue(grpc::CallbackServerContext* context,
                                                   const v1::PauseQueueRequest* request,
                                                   v1::ListPausesResponse* response) {
  return ChangePause(*context, IdentityOf(*context, "PauseQueue", *request), request->tenant(),
                     request->kind(), true, response);
}

grpc::ServerUnaryReactor* AdminService::ResumeQueue(grpc::CallbackServerContext* context,
                                                    const v1::ResumeQueueRequest* request,
                                                    v1::ListPausesResponse* response) {
  return ChangePause(*context, IdentityOf(*context, "ResumeQueue", *request), request->tenant(),
                     request->kind(), false, response);
}

grpc::ServerUnaryReactor* AdminService::ListPauses(grpc::CallbackServerContext* context,
                                                   const v1::ListPausesRequest*,
                                                   v1::ListPausesResponse* response) {
  if (const auto admin = Admin(*context); !admin.ok()) return FinishWith(*context, admin.status());
  WritePauses(backend_.live.accounts()->live, response);
  return FinishWith(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* AdminService::ChangeCordon(grpc::CallbackServerContext& context,
                                                     absl::StatusOr<RequestIdentity> identity,
                                                     Cordon cordon, bool lift,
                                                     v1::Worker* response) {
  const absl::StatusOr<Principal> admin = Admin(context);
  if (!admin.ok()) return FinishWith(context, admin.status());
  const auto fleet = backend_.live.fleet();
  const auto known =
      std::find_if(fleet->workers.begin(), fleet->workers.end(),
                   [&](const WorkerView& worker) { return worker.id == cordon.worker; });
  if (known == fleet->workers.end()) return FinishWith(context, NotFound("worker", cordon.worker));
  // The snapshot may be renewed only after this is answered.
  WorkerView after = *known;
  after.cordoned = !lift;
  after.drain_deadline_us = lift ? 0 : cordon.drain_deadline_us;
  scheduler::CordonWorker event{.cordon = std::move(cordon), .lift = lift};
  return Change(context, *admin, std::move(identity), std::move(event),
                [after = std::move(after), response] {
                  AddWorker(after, response);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* AdminService::CordonWorker(grpc::CallbackServerContext* context,
                                                     const v1::CordonWorkerRequest* request,
                                                     v1::Worker* response) {
  return ChangeCordon(*context, IdentityOf(*context, "CordonWorker", *request),
                      {.worker = request->worker()}, false, response);
}

grpc::ServerUnaryReactor* AdminService::UncordonWorker(grpc::CallbackServerContext* context,
                                                       const v1::UncordonWorkerRequest* request,
                                                       v1::Worker* response) {
  return ChangeCordon(*context, IdentityOf(*context, "UncordonWorker", *request),
                      {.worker = request->worker()}, true, response);
}

grpc::ServerUnaryReactor* AdminService::DrainWorker(grpc::CallbackServerContext* context,
                                                    const v1::DrainWorkerRequest* request,
                                                    v1::Worker* response) {
  const absl::StatusOr<int64_t> time_us = ReadDrainTime(*request);
  if (!time_us.ok()) return FinishWith(*context, time_us.status());
  Cordon cordon{.worker = request->worker()};
  cordon.drain_deadline_us = absl::ToUnixMicros(backend_.clock.Now()) + *time_us;
  return ChangeCordon(*context, IdentityOf(*context, "DrainWorker", *request), std::move(cordon),
                      false, response);
}

}  // namespace switchyard::scheduler
