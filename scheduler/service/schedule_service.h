// switchyard.v1.ScheduleService over gRPC's callback API.
//
// Thread-safe. Backend and keeper outlive it; it outlives its server.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/schedule_keeper.h"
#include "switchyard/v1/schedule_service.grpc.pb.h"

namespace switchyard::scheduler {

class ScheduleService final : public v1::ScheduleService::CallbackService {
 public:
  ScheduleService(const Backend& backend, ScheduleKeeper& keeper)
      : backend_(backend), keeper_(keeper) {}

  grpc::ServerUnaryReactor* CreateSchedule(grpc::CallbackServerContext*,
                                           const v1::CreateScheduleRequest*,
                                           v1::Schedule*) override;
  grpc::ServerUnaryReactor* GetSchedule(grpc::CallbackServerContext*, const v1::GetScheduleRequest*,
                                        v1::Schedule*) override;
  grpc::ServerUnaryReactor* ListSchedules(grpc::CallbackServerContext*,
                                          const v1::ListSchedulesRequest*,
                                          v1::ListSchedulesResponse*) override;
  grpc::ServerUnaryReactor* PauseSchedule(grpc::CallbackServerContext*,
                                          const v1::PauseScheduleRequest*, v1::Schedule*) override;
  grpc::ServerUnaryReactor* ResumeSchedule(grpc::CallbackServerContext*,
                                           const v1::ResumeScheduleRequest*,
                                           v1::Schedule*) override;
  grpc::ServerUnaryReactor* DeleteSchedule(grpc::CallbackServerContext*,
                                           const v1::DeleteScheduleRequest*,
                                           google::protobuf::Empty*) override;

 private:
  template <typename Request>
  grpc::ServerUnaryReactor* SetPaused(grpc::CallbackServerContext* context, const Request& request,
                                      absl::string_view method, bool paused,
                                      v1::Schedule* response);
  // Posts a change of one schedule and ends the call with it as it is then; `response` null: with
  // OK. A context gives its reactor once: to ask it again makes another.
  void Change(grpc::ServerUnaryReactor* reactor, Input input, const std::string& name,
              v1::Schedule* response);

  const Backend& backend_;
  ScheduleKeeper& keeper_;
};

}  // namespace switchyard::scheduler
