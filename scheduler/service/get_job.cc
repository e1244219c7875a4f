#include <string>
#include <utility>

#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"

namespace switchyard::scheduler {

grpc::ServerUnaryReactor* JobService::GetJob(grpc::CallbackServerContext* context,
                                             const v1::GetJobRequest* request, v1::Job* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->job(), "job");
  if (!id.ok()) return FinishWith(*context, id.status());
  return FinishWithRead(backend_, *context, [this, tenant = principal->tenant, id = *id, response] {
    absl::StatusOr<v1::Job> job = ReadJob(backend_, tenant, id);
    if (job.ok()) *response = std::move(*job);
    return job.status();
  });
}

}  // namespace switchyard::scheduler
