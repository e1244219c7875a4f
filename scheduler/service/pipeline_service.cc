#include "scheduler/service/pipeline_service.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/page_token.h"
#include "scheduler/service/pipelines.h"
#include "scheduler/service/polling_call.h"
#include "scheduler/service/wait_time.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

using storage::v1::PipelineRecord;

absl::Status PipelineState(const std::string& id, absl::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "PIPELINE_STATE",
                   absl::StrCat("pipeline ", id, " ", what), {{"pipeline", id}});
}

// A command on a stored pipeline: `change` alters the document as it is when the command is taken
// and adds what is to be done; no document left means that it is removed.
Input ChangePipeline(
    const DocumentKey& key,
    std::function<absl::Status(DrainView&, std::optional<PipelineRecord>&, Input&)> change) {
  Input input;
  const auto record = std::make_shared<std::optional<PipelineRecord>>();
  input.tenant = key.tenant;
  input.prepare = [key, record, change = std::move(change)](DrainView& view, Input& taken) {
    const auto found = view.FindDocument(key);
    if (!found.ok()) return found.status();
    if (!found->has_value()) return NotFound("pipeline", key.id);
    absl::StatusOr<PipelineRecord> parsed = ParsePipelineRecord(**found);
    if (!parsed.ok()) return parsed.status();
    *record = *std::move(parsed);
    return change(view, *record, taken);
  };
  input.documents = [key, record](const CommandResult&, std::vector<DocumentWrite>& documents) {
    DocumentWrite& write = documents.emplace_back();
    write.key = key;
    if (record->has_value()) write.bytes = (*record)->SerializeAsString();
  };
  return input;
}

template <typename Each>
void ForEachJob(const PipelineRecord& record, Each each) {
  for (const storage::v1::StepJobs& jobs : record.steps()) {
    for (uint32_t i = 0; i < jobs.count(); ++i) each(jobs.first_job() + i);
  }
}

// The jobs that did not succeed by themselves: those cancelled because an earlier one failed follow
// when that one is retried.
absl::StatusOr<std::vector<JobId>> FindFailed(const Backend& backend,
                                              const PipelineRecord& record) {
  std::vector<JobId> ended;
  for (const storage::v1::StepJobs& jobs : record.steps()) {
    const auto states =
        backend.store.GetStates(record.pipeline().tenant(), jobs.first_job(), jobs.count());
    if (!states.ok()) return states.status();
    for (uint32_t i = 0; i < jobs.count(); ++i) {
      const auto state = static_cast<JobState>((*states)[i]);
      if (HasEnded(state) && state != JobState::kSucceeded) ended.push_back(jobs.first_job() + i);
    }
  }
  const auto rows = backend.store.GetJobs(ended);
  if (!rows.ok()) return rows.status();
  std::vector<JobId> failed;
  for (const JobRow& row : *rows) {
    JobImage image;
    if (absl::Status status = DecodeRow(row, image); !status.ok()) return status;
    if (image.reason != Reason::kUpstreamFailed) failed.push_back(image.id);
  }
  return failed;
}

void KeepForList(v1::Pipeline* pipeline) {
  for (v1::PipelineStep& step : *pipeline->mutable_steps()) {
    step.clear_job();
    step.clear_inputs();
    step.clear_for_each();
  }
}

}  // namespace

absl::Status PipelineService::Read(const std::string& tenant, const std::string& id,
                                   v1::Pipeline* response) const {
  const auto record = FindPipeline(backend_, tenant, id);
  if (!record.ok()) return record.status();
  return ShowPipeline(backend_, JobCounter(backend_, tenant), *record, response);
}

void PipelineService::Answer(const std::string& tenant, const std::string& id,
                             v1::Pipeline* response, grpc::ServerUnaryReactor* reactor) const {
  const absl::Status taken = backend_.readers.Run([this, tenant, id, response, reactor] {
    reactor->Finish(ToGrpc(Read(tenant, id, response)));
  });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
}

void PipelineService::AnswerRepeat(const std::string& tenant, JobId job, v1::Pipeline* response,
                                   grpc::ServerUnaryReactor* reactor) const {
  const absl::Status taken = backend_.readers.Run([this, tenant, job, response, reactor] {
    const absl::StatusOr<v1::Job> first = ReadJob(backend_, tenant, job);
    reactor->Finish(
        ToGrpc(first.ok() ? Read(tenant, first->pipeline(), response) : first.status()));
  });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
}

void PipelineService::Create(const Principal& principal, const v1::CreatePipelineRequest& request,
                             RequestIdentity identity, v1::Pipeline* response,
                             grpc::ServerUnaryReactor* reactor) {
  absl::StatusOr<PreparedPipeline> prepared =
      PreparePipeline(backend_, principal, request.pipeline());
  if (!prepared.ok()) return reactor->Finish(ToGrpc(prepared.status()));
  const bool validate_only = request.validate_only();
  const bool complete = prepared->expansion.complete;
  const std::string id = prepared->record.pipeline().id();
  if (validate_only) {
    *response = prepared->record.pipeline();
    response->clear_id();
  }
  Input input = MakePipelineInput(*std::move(prepared), validate_only);
  input.request = std::move(identity);
  size_t bytes = request.ByteSizeLong();
  for (const std::string& spec : input.specs) bytes += spec.size() + sizeof(NewJob);
  PostCommand(backend_, std::move(input), bytes,
              [this, tenant = principal.tenant, id, complete, validate_only, response,
               reactor](const CommandResult& result) {
                if (!result.status.ok() || validate_only) {
                  return reactor->Finish(ToGrpc(result.status));
                }
                if (result.repeated) return AnswerRepeat(tenant, result.job, response, reactor);
                backend_.metrics.Submitted(result.job_count);
                if (!complete) keeper_.Watch(tenant, id);
                Answer(tenant, id, response, reactor);
              });
}

grpc::ServerUnaryReactor* PipelineService::CreatePipeline(grpc::CallbackServerContext* context,
                                                          const v1::CreatePipelineRequest* request,
                                                          v1::Pipeline* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "CreatePipeline", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status taken =
      backend_.readers.Run([this, principal = *principal, request, identity = *identity, response,
                            reactor] { Create(principal, *request, identity, response, reactor); });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

grpc::ServerUnaryReactor* PipelineService::GetPipeline(grpc::CallbackServerContext* context,
                                                       const v1::GetPipelineRequest* request,
                                                       v1::Pipeline* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  return FinishWithRead(backend_, *context,
                        [this, tenant = principal->tenant, id = request->pipeline(), response] {
                          return Read(tenant, id, response);
                        });
}

grpc::ServerUnaryReactor* PipelineService::ListPipelines(grpc::CallbackServerContext* context,
                                                         const v1::ListPipelinesRequest* request,
                                                         v1::ListPipelinesResponse* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<DocumentQuery> query =
      ReadDocumentQuery(kPipelineCollection, principal->tenant, request->page_size(),
                        request->page_token(), /*descending=*/true);
  if (!query.ok()) return FinishWith(*context, query.status());
  return FinishWithRead(backend_, *context, [this, query = *query, response] {
    const auto rows = backend_.store.ListDocuments(query);
    if (!rows.ok()) return rows.status();
    const JobCounter counter(backend_, *query.tenant);
    for (const DocumentRow& row : *rows) {
      const auto record = ParsePipelineRecord(row);
      if (!record.ok()) return record.status();
      v1::Pipeline* pipeline = response->add_pipelines();
      if (absl::Status status = ShowPipeline(backend_, counter, *record, pipeline); !status.ok()) {
        return status;
      }
      KeepForList(pipeline);
    }
    response->set_next_page_token(NextDocumentToken(query, *rows));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* PipelineService::WaitPipeline(grpc::CallbackServerContext* context,
                                                        const v1::WaitPipelineRequest* request,
                                                        v1::Pipeline* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<absl::Duration> timeout =
      ReadWaitTime(request->has_timeout(), request->timeout());
  if (!timeout.ok()) return FinishWith(*context, timeout.status());
  return PollingCall::Start(backend_, *timeout,
                            [this, tenant = principal->tenant, id = request->pipeline(),
                             response]() -> absl::StatusOr<bool> {
                              response->Clear();
                              if (absl::Status status = Read(tenant, id, response); !status.ok())
                                return status;
                              return response->state() != v1::Pipeline::RUNNING;
                            });
}

grpc::ServerUnaryReactor* PipelineService::CancelPipeline(grpc::CallbackServerContext* context,
                                                          const v1::CancelPipelineRequest* request,
                                                          v1::Pipeline* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "CancelPipeline", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string tenant = principal->tenant;
  Input input =
      ChangePipeline(PipelineKey(tenant, request->pipeline()),
                     [](DrainView& view, std::optional<PipelineRecord>& record, Input& taken) {
                       bool lives = !IsExpanded(*record);
                       ForEachJob(*record, [&](JobId job) {
                         if (!view.IsLive(job)) return;
                         lives = true;
                         taken.more.push_back(CancelJob{.job = job});
                       });
                       // One that has ended is left as it is.
                       if (lives) record->set_cancelled(true);
                       return absl::OkStatus();
                     });
  input.request = *std::move(identity);
  PostCommand(
      backend_, std::move(input), 0,
      [this, tenant, id = request->pipeline(), response, reactor](const CommandResult& result) {
        if (!result.status.ok()) return reactor->Finish(ToGrpc(result.status));
        Answer(tenant, id, response, reactor);
      });
  return reactor;
}

grpc::ServerUnaryReactor* PipelineService::ResumePipeline(grpc::CallbackServerContext* context,
                                                          const v1::ResumePipelineRequest* request,
                                                          v1::Pipeline* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "ResumePipeline", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status taken = backend_.readers.Run([this, tenant = principal->tenant,
                                                   id = request->pipeline(), identity = *identity,
                                                   response, reactor] {
    const auto read = FindPipeline(backend_, tenant, id);
    if (!read.ok()) return reactor->Finish(ToGrpc(read.status()));
    const auto failed = FindFailed(backend_, *read);
    if (!failed.ok()) return reactor->Finish(ToGrpc(failed.status()));
    Input input = ChangePipeline(
        PipelineKey(tenant, id),
        [failed = *failed, id](DrainView&, std::optional<PipelineRecord>& record, Input& taken) {
          if (failed.empty() && !record->cancelled() && record->expansion_error().empty()) {
            return PipelineState(id, "has nothing that failed: there is nothing to resume");
          }
          record->set_cancelled(false);
          record->clear_expansion_error();
          for (const JobId job : failed) taken.more.push_back(RetryJob{.job = job});
          return absl::OkStatus();
        });
    input.request = identity;
    PostCommand(backend_, std::move(input), 0,
                [this, tenant, id, response, reactor](const CommandResult& result) {
                  if (!result.status.ok()) return reactor->Finish(ToGrpc(result.status));
                  keeper_.Watch(tenant, id);
                  Answer(tenant, id, response, reactor);
                });
  });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

grpc::ServerUnaryReactor* PipelineService::DeletePipeline(grpc::CallbackServerContext* context,
                                                          const v1::DeletePipelineRequest* request,
                                                          google::protobuf::Empty*) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "DeletePipeline", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Input input =
      ChangePipeline(PipelineKey(principal->tenant, request->pipeline()),
                     [id = request->pipeline()](
                         DrainView& view, std::optional<PipelineRecord>& record, Input& taken) {
                       bool lives = false;
                       ForEachJob(*record, [&](JobId job) {
                         lives |= view.IsLive(job);
                         taken.more.push_back(DeleteJob{.job = job});
                       });
                       if (lives)
                         return PipelineState(id, "has jobs that have not ended: cancel it first");
                       record.reset();
                       return absl::OkStatus();
                     });
  input.request = *std::move(identity);
  PostCommand(backend_, std::move(input), 0,
              [reactor](const CommandResult& result) { reactor->Finish(ToGrpc(result.status)); });
  return reactor;
}

}  // namespace switchyard::scheduler
