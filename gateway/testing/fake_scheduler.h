// A scheduler with answers of its own, over real gRPC: what the gateway's contract is tested
// against, nothing more.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/status.h"
#include "common/status/error.h"
#include "common/sync/mutex.h"
#include "grpcpp/server.h"
#include "switchyard/v1/job_service.grpc.pb.h"
#include "switchyard/worker/v1/artifact_reference_service.grpc.pb.h"

namespace switchyard::gateway {

class FakeScheduler {
 public:
  FakeScheduler();
  ~FakeScheduler();

  // Takes the same port again after Stop.
  void Start();
  void Stop();
  std::string address() const;

  // What CreateJob was called with, in order.
  std::vector<::switchyard::v1::CreateJobRequest> created();
  std::vector<std::string> traceparents();
  // What calls of CreateJob, WatchJob and RecordArtifact showed; empty for nothing.
  std::vector<std::string> authorizations();
  std::vector<std::string> watched_from();
  // So many CreateJobs answer UNAVAILABLE first.
  void FailCreates(int count);
  // GetJob "held" waits until its caller goes; so many did.
  int abandoned();

 private:
  class Jobs;
  class References;

  std::unique_ptr<Jobs> jobs_;
  std::unique_ptr<References> references_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace switchyard::gateway
