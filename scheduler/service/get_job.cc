#include <string>
#include <utility>
#include <vector>

#include "common/rpc/status.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/waiting_reasons.h"

namespace switchyard::scheduler {

grpc::ServerUnaryReactor* JobService::GetJob(grpc::CallbackServerContext* context,
                                             const v1::GetJobRequest* request, v1::Job* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->job(), "job");
  if (!id.ok()) return FinishWith(*context, id.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status taken =
      backend_.readers.Run([this, tenant = principal->tenant, id = *id, response, reactor] {
        absl::StatusOr<v1::Job> job = ReadJob(backend_, tenant, id);
        if (!job.ok()) return reactor->Finish(ToGrpc(job.status()));
        *response = std::move(*job);
        std::vector<JobId> waiting;
        if (response->state() == v1::Job::QUEUED) waiting.push_back(id);
        AskWhatTheyWaitFor(backend_, std::move(waiting),
                           [response, reactor](const WaitingReasons& reasons) {
                             reasons.Write(*response);
                             reactor->Finish(grpc::Status::OK);
                           });
      });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

}  // namespace switchyard::scheduler
