// CancelJob, StopJob, RetryJob and DeleteJob: one command on one job.
#include <utility>

#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"

namespace switchyard::scheduler {
namespace {

template <typename Command, typename Request>
grpc::ServerUnaryReactor* Run(const Backend& backend, grpc::CallbackServerContext& context,
                              absl::string_view method, const Request& request, Command command,
                              v1::Job* response) {
  const absl::StatusOr<Principal> principal = backend.principals.Of(context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request.job(), "job");
  if (!id.ok()) return FinishWith(context, id.status());
  command.job = *id;
  return RunJobCommand(backend, context, *principal, method, request, Event(std::move(command)),
                       response);
}

}  // namespace

grpc::ServerUnaryReactor* JobService::CancelJob(grpc::CallbackServerContext* context,
                                                const v1::CancelJobRequest* request,
                                                v1::Job* response) {
  return Run(backend_, *context, "CancelJob", *request, scheduler::CancelJob(), response);
}

grpc::ServerUnaryReactor* JobService::StopJob(grpc::CallbackServerContext* context,
                                              const v1::StopJobRequest* request,
                                              v1::Job* response) {
  scheduler::CancelJob command;
  command.checkpoint_first = true;
  return Run(backend_, *context, "StopJob", *request, std::move(command), response);
}

grpc::ServerUnaryReactor* JobService::RetryJob(grpc::CallbackServerContext* context,
                                               const v1::RetryJobRequest* request,
                                               v1::Job* response) {
  return Run(backend_, *context, "RetryJob", *request, scheduler::RetryJob(), response);
}

grpc::ServerUnaryReactor* JobService::DeleteJob(grpc::CallbackServerContext* context,
                                                const v1::DeleteJobRequest* request,
                                                google::protobuf::Empty*) {
  return Run(backend_, *context, "DeleteJob", *request, scheduler::DeleteJob(), nullptr);
}

}  // namespace switchyard::scheduler
