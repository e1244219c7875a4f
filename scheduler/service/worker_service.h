// switchyard.worker.v1.WorkerService. Served on the worker listener only. Thread-safe; the ports
// outlive it.
#pragma once

#include <utility>

#include "scheduler/service/attach_session.h"
#include "switchyard/worker/v1/worker_service.grpc.pb.h"

namespace switchyard::scheduler {

class WorkerService final : public worker::v1::WorkerService::CallbackService {
 public:
  explicit WorkerService(AttachSession::Ports ports) : ports_(std::move(ports)) {}

  grpc::ServerBidiReactor<worker::v1::WorkerMessage, worker::v1::SchedulerMessage>* Attach(
      grpc::CallbackServerContext* context) override {
    const auto session = std::make_shared<AttachSession>(ports_, *context);
    session->Start();
    return session.get();
  }

 private:
  const AttachSession::Ports ports_;
};

}  // namespace switchyard::scheduler
