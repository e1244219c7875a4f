// BatchRetryJobs and BatchDiscardJobs: one command on many failed jobs.
#include <utility>

#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/failed_jobs.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/page_token.h"

namespace switchyard::scheduler {
namespace {

template <typename Response>
std::string MakeReply(const CommandResult& result, const FailedJobsQuery& query, JobId next) {
  Response response;
  for (const JobOutcome& outcome : result.outcomes) {
    if (outcome.status.ok()) {
      response.add_jobs(FormatJobId(outcome.job));
      continue;
    }
    v1::JobFailure* failure = response.add_failures();
    failure->set_job(FormatJobId(outcome.job));
    *failure->mutable_error() = ToProto(outcome.status);
  }
  if (next != 0) response.set_next_page_token(MakePageToken(query.filter_text, FormatJobId(next)));
  return response.SerializeAsString();
}

// One call on its way: found on the reader pool, changed by the engine.
template <typename Response>
struct Change {
  const Backend& backend;
  std::string tenant;
  FailedJobsQuery query;
  RequestIdentity identity;
  ManyJobs::Verb verb;
  grpc::ServerUnaryReactor* reactor;
  Response* response;
};

template <typename Response>
void Run(Change<Response> change) {
  absl::StatusOr<FoundJobs> found = FindFailedJobs(change.backend, change.tenant, change.query);
  if (!found.ok()) return change.reactor->Finish(ToGrpc(found.status()));
  Input input;
  input.tenant = change.tenant;
  input.request = std::move(change.identity);
  input.many = ManyJobs{change.verb, std::move(found->jobs)};
  input.make_reply = [query = std::move(change.query),
                      next = found->next_before](const CommandResult& result) {
    return MakeReply<Response>(result, query, next);
  };
  PostCommand(change.backend, std::move(input), 0,
              [reactor = change.reactor, response = change.response](const CommandResult& result) {
                if (result.status.ok()) response->ParseFromString(result.reply);
                reactor->Finish(ToGrpc(result.status));
              });
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ChangeMany(const Backend& backend, grpc::CallbackServerContext& context,
                                     absl::string_view method, ManyJobs::Verb verb,
                                     const Request& request, Response* response) {
  const absl::StatusOr<Principal> principal = backend.principals.Of(context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(context, principal.status());
  absl::StatusOr<FailedJobsQuery> query = ReadFailedJobsQuery(request);
  if (!query.ok()) return FinishWith(context, query.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(context, method, request);
  if (!identity.ok()) return FinishWith(context, identity.status());
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  const absl::Status taken = backend.readers.Run(
      [change = Change<Response>{backend, principal->tenant, *std::move(query),
                                 *std::move(identity), verb, reactor, response}] { Run(change); });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* JobService::BatchRetryJobs(grpc::CallbackServerContext* context,
                                                     const v1::BatchRetryJobsRequest* request,
                                                     v1::BatchRetryJobsResponse* response) {
  return ChangeMany(backend_, *context, "BatchRetryJobs", ManyJobs::kRetry, *request, response);
}

grpc::ServerUnaryReactor* JobService::BatchDiscardJobs(grpc::CallbackServerContext* context,
                                                       const v1::BatchDiscardJobsRequest* request,
                                                       v1::BatchDiscardJobsResponse* response) {
  return ChangeMany(backend_, *context, "BatchDiscardJobs", ManyJobs::kDelete, *request, response);
}

}  // namespace switchyard::scheduler
