#include <memory>
#include <utility>

#include "common/kind/kind.h"
#include "common/rpc/status.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/explanation_view.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/new_job.h"
#include "scheduler/service/submit_rules.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/references.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

// One submit on its way. Lives until its call is finished.
struct Submit {
  const Backend& backend;
  Principal principal;
  grpc::ServerUnaryReactor* reactor;
  v1::Job* response;  // First the job in its stored form, then the answer.
  RequestIdentity identity;
  bool validate_only;

  void Finish(const absl::Status& status) { reactor->Finish(ToGrpc(status)); }
};

void FinishFromStore(const std::shared_ptr<Submit>& submit, JobId id) {
  const absl::Status taken = submit->backend.readers.Run([submit, id] {
    absl::StatusOr<v1::Job> job = ReadJob(submit->backend, submit->principal.tenant, id);
    if (job.ok()) *submit->response = std::move(*job);
    submit->Finish(job.status());
  });
  if (!taken.ok()) submit->Finish(taken);
}

void Answer(const std::shared_ptr<Submit>& submit, const std::string& spec,
            const CommandResult& result) {
  if (result.status.ok() && result.explanation != nullptr)
    WriteExplanation(*result.explanation, submit->response->mutable_explanation());
  if (!result.status.ok() || submit->validate_only) return submit->Finish(result.status);
  // A repeat may have been resolved to other versions the first time.
  if (result.repeated || result.image == nullptr) return FinishFromStore(submit, result.job);
  absl::StatusOr<v1::Job> job = MakeJob(*result.image, spec);
  if (job.ok()) *submit->response = std::move(*job);
  submit->backend.metrics.Submitted(1);
  submit->Finish(job.status());
}

void Post(const std::shared_ptr<Submit>& submit) {
  Input input;
  SubmitJobs event;
  event.tenant = submit->principal.tenant;
  event.validate_only = submit->validate_only;
  event.jobs.push_back(MakeNewJob(*submit->response));
  event.jobs.back().key = submit->principal.key;
  input.event = std::move(event);
  input.tenant = submit->principal.tenant;
  input.request = std::move(submit->identity);
  std::string spec = submit->response->SerializeAsString();
  input.specs.push_back(spec);
  const size_t bytes = spec.size();
  PostCommand(submit->backend, std::move(input), bytes,
              [submit, spec = std::move(spec)](const CommandResult& result) {
                Answer(submit, spec, result);
              });
}

void ResolveAndPost(const std::shared_ptr<Submit>& submit) {
  const absl::Status resolved = ResolveReferences(submit->principal.tenant, FieldFaults("job"),
                                                  submit->backend.references, *submit->response);
  if (!resolved.ok()) return submit->Finish(resolved);
  Post(submit);
}

absl::Status Check(const Backend& backend, const Principal& principal, v1::Job& job) {
  FieldFaults faults("job");
  const bool stated = job.priority() != 0;
  NormalizeJob(job, faults);
  if (!faults.empty()) return faults.ToStatus();
  BoundDefaultPriority(stated, principal.highest_priority, job);
  return CheckAllowed(job, RulesFor(backend, principal), faults);
}

}  // namespace

grpc::ServerUnaryReactor* JobService::CreateJob(grpc::CallbackServerContext* context,
                                                const v1::CreateJobRequest* request,
                                                v1::Job* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "CreateJob", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  *response = request->job();
  if (absl::Status status = Check(backend_, *principal, *response); !status.ok()) {
    response->Clear();
    return FinishWith(*context, status);
  }
  const auto submit =
      std::make_shared<Submit>(Submit{backend_, *principal, context->DefaultReactor(), response,
                                      std::move(*identity), request->validate_only()});
  if (!RefersToAnything(*response)) {
    Post(submit);
  } else if (absl::Status taken = backend_.readers.Run([submit] { ResolveAndPost(submit); });
             !taken.ok()) {
    submit->Finish(taken);
  }
  return submit->reactor;
}

}  // namespace switchyard::scheduler
