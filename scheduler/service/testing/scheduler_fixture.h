// A whole scheduler in the test's process, on loopback and a folder of its own, with clients on
// real channels.
#pragma once

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "scheduler/service/server.h"
#include "scheduler/service/testing/fake_worker.h"
#include "switchyard/v1/fleet_service.grpc.pb.h"
#include "switchyard/v1/job_service.grpc.pb.h"
#include "switchyard/v1/model_service.grpc.pb.h"
#include "switchyard/worker/v1/artifact_reference_service.grpc.pb.h"

namespace switchyard::scheduler {

class SchedulerFixture : public ::testing::Test {
 protected:
  SchedulerFixture();
  ~SchedulerFixture() override;

  // Starts it, again after Stop in the same folder. `config()` may be changed before.
  void StartScheduler();
  void StopScheduler() { server_.reset(); }
  config::v1::SchedulerConfig& config() { return config_; }

  std::string Address(const std::string& name) const;
  std::unique_ptr<FakeWorker> AttachWorker(FakeWorkerOptions options = {}) {
    return std::make_unique<FakeWorker>(Address("worker"), std::move(options));
  }

  // A noop with `payload`.
  static v1::CreateJobRequest Noop(const std::string& payload = "x");
  // Calls that must succeed.
  v1::Job Create(const v1::CreateJobRequest& request);
  v1::Job Get(const std::string& id);
  // Until it ended; a few seconds.
  v1::Job Wait(const std::string& id);

  v1::JobService::Stub& jobs() { return *jobs_; }
  v1::FleetService::Stub& fleet() { return *fleet_; }
  v1::ModelService::Stub& models() { return *models_; }
  worker::v1::ArtifactReferenceService::Stub& artifacts() { return *artifacts_; }
  std::shared_ptr<grpc::Channel> channel() { return channel_; }

 private:
  std::string directory_;
  config::v1::SchedulerConfig config_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
  std::unique_ptr<v1::FleetService::Stub> fleet_;
  std::unique_ptr<v1::ModelService::Stub> models_;
  std::unique_ptr<worker::v1::ArtifactReferenceService::Stub> artifacts_;
};

}  // namespace switchyard::scheduler
