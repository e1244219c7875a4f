// switchyard.v1.FleetService: reads answer from the published snapshot, limits go through the
// engine. Thread-safe; the backend outlives it.
#pragma once

#include "grpcpp/grpcpp.h"
#include "scheduler/service/backend.h"
#include "switchyard/v1/fleet_service.grpc.pb.h"

namespace switchyard::scheduler {

class FleetService final : public v1::FleetService::CallbackService {
 public:
  explicit FleetService(const Backend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext*, const v1::ListDevicesRequest*,
                                        v1::ListDevicesResponse*) override;
  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext*, const v1::ListWorkersRequest*,
                                        v1::ListWorkersResponse*) override;
  grpc::ServerUnaryReactor* ListSchedulers(grpc::CallbackServerContext*,
                                           const v1::ListSchedulersRequest*,
                                           v1::ListSchedulersResponse*) override;
  grpc::ServerUnaryReactor* GetQueue(grpc::CallbackServerContext*, const v1::GetQueueRequest*,
                                     v1::Queue*) override;
  grpc::ServerUnaryReactor* GetLimits(grpc::CallbackServerContext*, const v1::GetLimitsRequest*,
                                      v1::Limits*) override;
  grpc::ServerUnaryReactor* UpdateLimits(grpc::CallbackServerContext*,
                                         const v1::UpdateLimitsRequest*, v1::Limits*) override;

 private:
  absl::Status Known(const grpc::CallbackServerContext& context) const;

  const Backend& backend_;
};

}  // namespace switchyard::scheduler
