#include <utility>

#include "common/rpc/status.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/explanation_view.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"

namespace switchyard::scheduler {

grpc::ServerUnaryReactor* JobService::ExplainJob(grpc::CallbackServerContext* context,
                                                 const v1::ExplainJobRequest* request,
                                                 v1::Explanation* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->job(), "job");
  if (!id.ok()) return FinishWith(*context, id.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Input input;
  input.tenant = principal->tenant;
  input.explain = *id;
  PostCommand(backend_, std::move(input), 0, [reactor, response](const CommandResult& result) {
    if (result.explanation != nullptr) {
      WriteExplanation(*result.explanation, response);
    } else if (result.image != nullptr) {
      WriteExplanation(*result.image, response);
    }
    reactor->Finish(ToGrpc(result.status));
  });
  return reactor;
}

}  // namespace switchyard::scheduler
