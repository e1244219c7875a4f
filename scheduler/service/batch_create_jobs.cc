#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/status.h"
#include "google/protobuf/arena.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/new_job.h"
#include "scheduler/service/raw_messages.h"
#include "scheduler/service/submit_rules.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/references.h"

namespace switchyard::scheduler {
namespace {

constexpr int kMostJobs = 10'000;
constexpr size_t kMostBytes = 16 * 1024 * 1024;

// One batch on its way: read, checked and turned into the engine's form in one pass over the jobs.
class Batch {
 public:
  Batch(const Backend& backend, grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes,
        Principal principal)
      : backend_(backend), context_(context), bytes_(bytes), principal_(std::move(principal)) {}

  // The engine's input. Its `done` is not set.
  absl::StatusOr<Input> Read() {
    if (bytes_.Length() > kMostBytes)
      return InvalidField("jobs", absl::StrCat("must be at most ", kMostBytes, " bytes"));
    google::protobuf::Arena arena;  // 10,000 jobs are freed at once.
    auto* request = google::protobuf::Arena::CreateMessage<v1::BatchCreateJobsRequest>(&arena);
    if (absl::Status status = ReadRaw(bytes_, request); !status.ok()) return status;
    if (request->jobs_size() < 1 || request->jobs_size() > kMostJobs) {
      return InvalidField("jobs", absl::StrCat("must be 1 to ", kMostJobs, " jobs; there are ",
                                               request->jobs_size()));
    }
    absl::StatusOr<RequestIdentity> identity = Identify(*request);
    if (!identity.ok()) return identity.status();
    Input input;
    input.tenant = principal_.tenant;
    input.request = std::move(*identity);
    if (absl::Status status = TakeJobs(*request, input); !status.ok()) return status;
    return input;
  }

  size_t bytes() const { return bytes_.Length(); }

 private:
  // The hash is made of the jobs one by one: no second copy of 16 MiB.
  absl::StatusOr<RequestIdentity> Identify(const v1::BatchCreateJobsRequest& request) {
    absl::StatusOr<RequestIdentity> identity =
        IdentityOf(context_, "BatchCreateJobs", absl::string_view(request.request_id()));
    if (!identity.ok() || identity->request_id.empty()) return identity;
    Sha256 hash;
    hash.Update(request.validate_only() ? "1" : "0");
    for (const v1::Job& job : request.jobs()) {
      const std::string bytes = DeterministicBytes(job);
      hash.Update(absl::StrCat(bytes.size(), ":"));
      hash.Update(bytes);
    }
    identity->body_sha256 = hash.FinishBytes();
    return identity;
  }

  absl::Status TakeJobs(v1::BatchCreateJobsRequest& request, Input& input) {
    FieldFaults faults("jobs");
    absl::Status refused;  // The first one, told when the forms of all are right.
    SubmitJobs event;
    event.tenant = principal_.tenant;
    event.validate_only = request.validate_only();
    event.jobs.reserve(request.jobs_size());
    input.specs.reserve(request.jobs_size());
    for (int i = 0; i < request.jobs_size() && !faults.full(); ++i) {
      v1::Job& job = *request.mutable_jobs(i);
      faults.SetIndex(i);
      const bool stated = job.priority() != 0;
      NormalizeJob(job, faults);
      if (!faults.empty() || !refused.ok()) continue;
      BoundDefaultPriority(stated, principal_.highest_priority, job);
      refused = CheckAllowed(job, RulesFor(backend_, principal_), faults);
      if (refused.ok())
        refused = ResolveReferences(principal_.tenant, faults, backend_.references, job);
      event.jobs.push_back(MakeNewJob(job));
      event.jobs.back().key = principal_.key;
      input.specs.push_back(job.SerializeAsString());
    }
    input.event = std::move(event);
    return faults.empty() ? refused : faults.ToStatus();
  }

  const Backend& backend_;
  grpc::CallbackServerContext& context_;
  const grpc::ByteBuffer& bytes_;
  const Principal principal_;
};

v1::BatchCreateJobsResponse Ids(const CommandResult& result) {
  v1::BatchCreateJobsResponse response;
  if (result.job == 0) return response;  // validate_only.
  response.mutable_ids()->Reserve(static_cast<int>(result.job_count));
  for (uint32_t i = 0; i < result.job_count; ++i) response.add_ids(FormatJobId(result.job + i));
  return response;
}

}  // namespace

grpc::ServerUnaryReactor* JobService::BatchCreateJobs(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request,
                                                      grpc::ByteBuffer* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // A full batch takes some 10 ms to check: not on a thread that serves the network.
  const absl::Status taken =
      backend_.readers.Run([this, context, principal = *principal, request, response, reactor] {
        Batch batch(backend_, *context, *request, principal);
        absl::StatusOr<Input> input = batch.Read();
        if (!input.ok()) return reactor->Finish(ToGrpc(input.status()));
        PostCommand(backend_, std::move(*input), batch.bytes(),
                    [this, response, reactor](const CommandResult& result) {
                      if (result.status.ok()) {
                        backend_.metrics.Submitted(result.job_count);
                        *response = WriteRaw(Ids(result));
                      }
                      reactor->Finish(ToGrpc(result.status));
                    });
      });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

}  // namespace switchyard::scheduler
