#include "scheduler/service/array_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_counts.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/new_job.h"
#include "scheduler/service/page_token.h"
#include "scheduler/service/polling_call.h"
#include "scheduler/service/submit_rules.h"
#include "scheduler/service/wait_time.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/references.h"
#include "switchyard/storage/v1/pipeline_record.pb.h"

namespace switchyard::scheduler {
namespace {

constexpr char kCollection[] = "array";
constexpr uint32_t kMostJobs = 100'000;
// Cancelled with one command: an engine's drain stays short.
constexpr uint32_t kCancelledAtOnce = 2'000;

DocumentKey KeyOf(const std::string& tenant, JobId array) {
  return {kCollection, tenant, FormatJobId(array)};
}

absl::StatusOr<storage::v1::ArrayRecord> ParseRecord(const DocumentRow& row) {
  storage::v1::ArrayRecord record;
  if (record.ParseFromString(row.bytes)) return record;
  return absl::DataLossError(absl::StrCat("the stored array ", row.key.id, " cannot be read"));
}

absl::StatusOr<storage::v1::ArrayRecord> FindRecord(const Backend& backend,
                                                    const std::string& tenant, JobId id) {
  const auto row = backend.store.GetDocument(KeyOf(tenant, id));
  if (!row.ok()) return row.status();
  if (!row->has_value()) return NotFound("array", FormatJobId(id));
  return ParseRecord(**row);
}

absl::Status Fill(const JobCounter& counter, const std::string& tenant, JobId id,
                  const storage::v1::ArrayRecord& record, v1::Array* array) {
  const absl::StatusOr<JobCounts> counts = counter.Count({id, record.count()});
  if (!counts.ok()) return counts.status();
  array->set_id(FormatJobId(id));
  array->set_tenant(tenant);
  array->set_count(record.count());
  array->set_width(record.width());
  array->mutable_create_time()->set_seconds(record.create_ms() / 1000);
  array->mutable_create_time()->set_nanos(
      static_cast<int32_t>(record.create_ms() % 1000 * 1'000'000));
  WriteCounts(*counts, array);
  return absl::OkStatus();
}

// With the spec its jobs share, taken from the first that is still there.
absl::Status Read(const Backend& backend, const std::string& tenant, JobId id, v1::Array* array) {
  const auto record = FindRecord(backend, tenant, id);
  if (!record.ok()) return record.status();
  const JobCounter counter(backend, tenant);
  if (absl::Status status = Fill(counter, tenant, id, *record, array); !status.ok()) return status;
  const absl::StatusOr<JobRow> row = backend.store.GetJob(id);
  if (row.ok() && row->tenant == tenant) array->mutable_job()->ParseFromString(row->spec);
  return absl::OkStatus();
}

absl::Status Check(const Backend& backend, const Principal& principal, v1::Array& array) {
  FieldFaults faults("array");
  if (array.count() < 1 || array.count() > kMostJobs) {
    faults.Add("count", absl::StrCat("must be 1 to ", kMostJobs, "; it is ", array.count()));
  }
  FieldFaults job_faults("array.job");
  const bool stated = array.job().priority() != 0;
  NormalizeJob(*array.mutable_job(), job_faults);
  BoundDefaultPriority(stated, principal.highest_priority, *array.mutable_job());
  for (const std::string& each : array.job().depends_on()) {
    if (each[0] == '#') job_faults.Add("depends_on", "must be ids of jobs");
  }
  faults.Take(job_faults);
  if (!faults.empty()) return faults.ToStatus();
  absl::Status status = CheckAllowed(array.job(), RulesFor(backend, principal), job_faults);
  if (status.ok() && RefersToAnything(array.job())) {
    status =
        ResolveReferences(principal.tenant, job_faults, backend.references, *array.mutable_job());
  }
  return status;
}

Input MakeInput(const Backend& backend, const Principal& principal, const v1::Array& array,
                RequestIdentity identity, bool validate_only) {
  NewJob job = MakeNewJob(array.job());
  job.key = principal.key;
  // A width that never holds anybody back makes an array all the same.
  job.array.width = array.width() == 0 ? array.count() : array.width();
  Input input;
  SubmitJobs event;
  event.validate_only = validate_only;
  event.jobs.assign(array.count(), job);
  input.event = std::move(event);
  input.specs.push_back(array.job().SerializeAsString());
  input.tenant = principal.tenant;
  input.request = std::move(identity);
  storage::v1::ArrayRecord record;
  record.set_count(array.count());
  record.set_width(array.width());
  record.set_create_ms(absl::ToUnixMillis(backend.clock.Now()));
  if (validate_only) return input;
  input.documents = [tenant = principal.tenant, record](const CommandResult& result,
                                                        std::vector<DocumentWrite>& documents) {
    documents.push_back({KeyOf(tenant, result.job), record.SerializeAsString()});
  };
  return input;
}

absl::Status CheckUpdate(const v1::UpdateArrayRequest& request) {
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "width") continue;
    return InvalidField("update_mask",
                        absl::StrCat("`", Excerpt(path), "` cannot be changed; width can be"));
  }
  return absl::OkStatus();
}

// The width counts in the commit that keeps it in the array's document.
Input MakeWidthInput(const std::string& tenant, JobId id, uint32_t width,
                     RequestIdentity identity) {
  Input input;
  input.tenant = tenant;
  input.request = std::move(identity);
  input.event = SetArrayWidth{.array = id, .width = width};
  const DocumentKey key = KeyOf(tenant, id);
  auto record = std::make_shared<storage::v1::ArrayRecord>();
  input.prepare = [key, id, width, record](DrainView& view, Input&) {
    const auto row = view.FindDocument(key);
    if (!row.ok()) return row.status();
    if (!row->has_value()) return NotFound("array", FormatJobId(id));
    auto found = ParseRecord(**row);
    if (!found.ok()) return found.status();
    *record = *std::move(found);
    record->set_width(width);
    return absl::OkStatus();
  };
  input.documents = [key, record](const CommandResult&, std::vector<DocumentWrite>& documents) {
    documents.push_back({key, record->SerializeAsString()});
  };
  return input;
}

// Cancels a part of the array, then the next.
void CancelFrom(const Backend& backend, const std::string& tenant, JobId id, uint32_t from,
                uint32_t count, std::function<void(absl::Status)> done) {
  Input input;
  input.tenant = tenant;
  const uint32_t end = std::min(from + kCancelledAtOnce, count);
  for (uint32_t i = from; i < end; ++i) input.more.push_back(CancelJob{.job = id + i});
  PostCommand(backend, std::move(input), 0,
              [&backend, tenant, id, end, count, done](const CommandResult& result) {
                if (!result.status.ok() || end == count) return done(result.status);
                CancelFrom(backend, tenant, id, end, count, done);
              });
}

}  // namespace

absl::StatusOr<JobRange> JobsOfArray(const Backend& backend, const std::string& tenant, JobId id) {
  const auto record = FindRecord(backend, tenant, id);
  if (!record.ok()) return record.status();
  return JobRange{id, record->count()};
}

grpc::ServerUnaryReactor* ArrayService::CreateArray(grpc::CallbackServerContext* context,
                                                    const v1::CreateArrayRequest* request,
                                                    v1::Array* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "CreateArray", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status taken = backend_.readers.Run([this, request, response, reactor,
                                                   principal = *principal,
                                                   identity = std::move(*identity)]() mutable {
    v1::Array array = request->array();
    if (absl::Status status = Check(backend_, principal, array); !status.ok()) {
      return reactor->Finish(ToGrpc(status));
    }
    const bool validate_only = request->validate_only();
    if (validate_only) *response = array;
    // What a job takes while it waits for its drain, about.
    const size_t bytes = array.count() * sizeof(NewJob);
    PostCommand(backend_, MakeInput(backend_, principal, array, std::move(identity), validate_only),
                bytes,
                [this, response, reactor, validate_only,
                 tenant = principal.tenant](const CommandResult& result) {
                  if (!result.status.ok() || validate_only) {
                    return reactor->Finish(ToGrpc(result.status));
                  }
                  if (!result.repeated) backend_.metrics.Submitted(result.job_count);
                  const absl::Status read =
                      backend_.readers.Run([this, tenant, id = result.job, response, reactor] {
                        reactor->Finish(ToGrpc(Read(backend_, tenant, id, response)));
                      });
                  if (!read.ok()) reactor->Finish(ToGrpc(read));
                });
  });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

grpc::ServerUnaryReactor* ArrayService::GetArray(grpc::CallbackServerContext* context,
                                                 const v1::GetArrayRequest* request,
                                                 v1::Array* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->array(), "array");
  if (!id.ok()) return FinishWith(*context, id.status());
  return FinishWithRead(backend_, *context, [this, tenant = principal->tenant, id = *id, response] {
    return Read(backend_, tenant, id, response);
  });
}

grpc::ServerUnaryReactor* ArrayService::ListArrays(grpc::CallbackServerContext* context,
                                                   const v1::ListArraysRequest* request,
                                                   v1::ListArraysResponse* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<DocumentQuery> query =
      ReadDocumentQuery(kCollection, principal->tenant, request->page_size(), request->page_token(),
                        /*descending=*/true);
  if (!query.ok()) return FinishWith(*context, query.status());
  return FinishWithRead(backend_, *context, [this, query = *query, response] {
    const auto rows = backend_.store.ListDocuments(query);
    if (!rows.ok()) return rows.status();
    const JobCounter counter(backend_, *query.tenant);
    for (const DocumentRow& row : *rows) {
      const auto record = ParseRecord(row);
      if (!record.ok()) return record.status();
      absl::Status status = Fill(counter, row.key.tenant, ParseJobId(row.key.id).value_or(0),
                                 *record, response->add_arrays());
      if (!status.ok()) return status;
    }
    response->set_next_page_token(NextDocumentToken(query, *rows));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ArrayService::WaitArray(grpc::CallbackServerContext* context,
                                                  const v1::WaitArrayRequest* request,
                                                  v1::Array* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->array(), "array");
  if (!id.ok()) return FinishWith(*context, id.status());
  const absl::StatusOr<absl::Duration> timeout =
      ReadWaitTime(request->has_timeout(), request->timeout());
  if (!timeout.ok()) return FinishWith(*context, timeout.status());
  return PollingCall::Start(
      backend_, *timeout,
      [this, tenant = principal->tenant, id = *id, response]() -> absl::StatusOr<bool> {
        response->Clear();
        if (absl::Status status = Read(backend_, tenant, id, response); !status.ok()) return status;
        return response->blocked() + response->queued() + response->running() == 0;
      });
}

grpc::ServerUnaryReactor* ArrayService::UpdateArray(grpc::CallbackServerContext* context,
                                                    const v1::UpdateArrayRequest* request,
                                                    v1::Array* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->array().id(), "array.id");
  if (!id.ok()) return FinishWith(*context, id.status());
  if (absl::Status status = CheckUpdate(*request); !status.ok())
    return FinishWith(*context, status);
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "UpdateArray", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string& tenant = principal->tenant;
  PostCommand(backend_, MakeWidthInput(tenant, *id, request->array().width(), std::move(*identity)),
              0, [this, tenant, id = *id, response, reactor](const CommandResult& result) {
                if (!result.status.ok()) return reactor->Finish(ToGrpc(result.status));
                const absl::Status read =
                    backend_.readers.Run([this, tenant, id, response, reactor] {
                      reactor->Finish(ToGrpc(Read(backend_, tenant, id, response)));
                    });
                if (!read.ok()) reactor->Finish(ToGrpc(read));
              });
  return reactor;
}

grpc::ServerUnaryReactor* ArrayService::CancelArray(grpc::CallbackServerContext* context,
                                                    const v1::CancelArrayRequest* request,
                                                    v1::Array* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->array(), "array");
  if (!id.ok()) return FinishWith(*context, id.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // To cancel is the same however often it is done: a repeat needs no memory of the first.
  const absl::Status taken =
      backend_.readers.Run([this, tenant = principal->tenant, id = *id, response, reactor] {
        const auto record = FindRecord(backend_, tenant, id);
        if (!record.ok()) return reactor->Finish(ToGrpc(record.status()));
        CancelFrom(backend_, tenant, id, 0, record->count(),
                   [this, tenant, id, response, reactor](const absl::Status& status) {
                     if (!status.ok()) return reactor->Finish(ToGrpc(status));
                     const absl::Status read =
                         backend_.readers.Run([this, tenant, id, response, reactor] {
                           reactor->Finish(ToGrpc(Read(backend_, tenant, id, response)));
                         });
                     if (!read.ok()) reactor->Finish(ToGrpc(read));
                   });
      });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

}  // namespace switchyard::scheduler
