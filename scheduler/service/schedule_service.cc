#include "scheduler/service/schedule_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/page_token.h"
#include "scheduler/service/pipelines.h"
#include "scheduler/service/submit_rules.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/references.h"

namespace switchyard::scheduler {
namespace {

using storage::v1::ScheduleRecord;

void SetTime(int64_t ms, google::protobuf::Timestamp* time) {
  time->set_seconds(ms / 1000);
  time->set_nanos(static_cast<int32_t>(ms % 1000 * 1'000'000));
}

bool IsScheduleName(absl::string_view name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), fine);
}

void Show(const ScheduleRecord& record, v1::Schedule* to) {
  *to = record.schedule();
  SetTime(record.create_ms(), to->mutable_create_time());
  if (record.last_run_ms() != 0) SetTime(record.last_run_ms(), to->mutable_last_run());
  to->set_last_made(record.last_made());
  to->set_runs(record.runs());
  to->set_skipped(record.skipped());
  to->set_message(record.message());
  const absl::StatusOr<Cron> cron = CronOf(record);
  if (!cron.ok() || record.schedule().paused()) return;
  const absl::Time next = cron->Next(absl::FromUnixMillis(record.done_ms()));
  if (next != absl::InfiniteFuture()) SetTime(absl::ToUnixMillis(next), to->mutable_next_run());
}

absl::StatusOr<ScheduleRecord> Find(const Backend& backend, const std::string& tenant,
                                    const std::string& name) {
  const auto row = backend.store.GetDocument({kScheduleCollection, tenant, name});
  if (!row.ok()) return row.status();
  if (!row->has_value()) return NotFound("schedule", name);
  return ParseScheduleRecord(**row);
}

void CheckTimes(const Backend& backend, const v1::Schedule& schedule, FieldFaults& faults) {
  if (!IsScheduleName(schedule.name())) faults.Add("name", "must be 1 to 63 of [a-z0-9_-]");
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(schedule.time_zone());
  if (!zone.ok()) faults.Add("time_zone", zone.status().message());
  const absl::StatusOr<Cron> cron =
      Cron::Parse(schedule.cron(), zone.ok() ? *zone : absl::UTCTimeZone(), backend.clock.Now());
  if (!cron.ok()) faults.Add("cron", cron.status().message());
}

// The work is checked as if it were submitted now, and stored as it was given: a model's latest
// version is then the latest each time.
absl::Status CheckWork(const Backend& backend, const Principal& principal, v1::Schedule& schedule,
                       FieldFaults& faults) {
  if (schedule.has_pipeline()) {
    if (!faults.empty()) return faults.ToStatus();
    return PreparePipeline(backend, principal, schedule.pipeline()).status();
  }
  if (!schedule.has_job()) {
    faults.Add("", "must have a job or a pipeline");
    return faults.ToStatus();
  }
  FieldFaults job_faults("schedule.job");
  const bool stated = schedule.job().priority() != 0;
  NormalizeJob(*schedule.mutable_job(), job_faults);
  BoundDefaultPriority(stated, principal.highest_priority, *schedule.mutable_job());
  faults.Take(job_faults);
  if (!faults.empty()) return faults.ToStatus();
  absl::Status status = CheckAllowed(schedule.job(), RulesFor(backend, principal), job_faults);
  if (!status.ok() || !RefersToAnything(schedule.job())) return status;
  v1::Job job = schedule.job();
  return ResolveReferences(principal.tenant, job_faults, backend.references, job);
}

absl::StatusOr<ScheduleRecord> MakeRecord(const Backend& backend, const Principal& principal,
                                          v1::Schedule schedule) {
  schedule.clear_create_time();
  schedule.clear_next_run();
  schedule.clear_last_run();
  schedule.clear_last_made();
  schedule.clear_runs();
  schedule.clear_skipped();
  schedule.clear_message();
  schedule.set_tenant(principal.tenant);
  FieldFaults faults("schedule");
  CheckTimes(backend, schedule, faults);
  if (absl::Status status = CheckWork(backend, principal, schedule, faults); !status.ok()) {
    return status;
  }
  ScheduleRecord record;
  *record.mutable_schedule() = std::move(schedule);
  record.set_create_ms(absl::ToUnixMillis(backend.clock.Now()));
  record.set_done_ms(record.create_ms());
  record.set_highest_priority(principal.highest_priority);
  record.set_key(principal.key);
  return record;
}

Input MakeCreate(const ScheduleRecord& record, RequestIdentity identity) {
  Input input;
  const DocumentKey key{kScheduleCollection, record.schedule().tenant(), record.schedule().name()};
  input.tenant = key.tenant;
  input.request = std::move(identity);
  input.prepare = [key](DrainView& view, Input&) {
    const auto found = view.FindDocument(key);
    if (!found.ok() || !found->has_value()) return found.status();
    return MakeError(absl::StatusCode::kAlreadyExists, "SCHEDULE_EXISTS",
                     absl::StrCat("there is a schedule ", key.id, " already; delete it first"),
                     {{"schedule", key.id}});
  };
  input.documents = [key, record](const CommandResult&, std::vector<DocumentWrite>& documents) {
    documents.push_back({key, record.SerializeAsString()});
  };
  return input;
}

}  // namespace

void ScheduleService::Change(grpc::ServerUnaryReactor* reactor, Input input,
                             const std::string& name, v1::Schedule* response) {
  const std::string tenant = input.tenant;
  PostCommand(backend_, std::move(input), 0,
              [this, tenant, name, response, reactor](const CommandResult& result) {
                if (result.status.ok()) keeper_.Changed(tenant, name);
                if (!result.status.ok() || response == nullptr) {
                  return reactor->Finish(ToGrpc(result.status));
                }
                const absl::Status taken =
                    backend_.readers.Run([this, tenant, name, response, reactor] {
                      const auto record = Find(backend_, tenant, name);
                      if (record.ok()) Show(*record, response);
                      reactor->Finish(ToGrpc(record.status()));
                    });
                if (!taken.ok()) reactor->Finish(ToGrpc(taken));
              });
}

grpc::ServerUnaryReactor* ScheduleService::CreateSchedule(grpc::CallbackServerContext* context,
                                                          const v1::CreateScheduleRequest* request,
                                                          v1::Schedule* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "CreateSchedule", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status taken = backend_.readers.Run(
      [this, principal = *principal, request, identity = *identity, response, reactor] {
        const auto record = MakeRecord(backend_, principal, request->schedule());
        if (!record.ok()) return reactor->Finish(ToGrpc(record.status()));
        if (request->validate_only()) {
          Show(*record, response);
          return reactor->Finish(grpc::Status::OK);
        }
        Change(reactor, MakeCreate(*record, identity), record->schedule().name(), response);
      });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

grpc::ServerUnaryReactor* ScheduleService::GetSchedule(grpc::CallbackServerContext* context,
                                                       const v1::GetScheduleRequest* request,
                                                       v1::Schedule* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  return FinishWithRead(backend_, *context,
                        [this, tenant = principal->tenant, name = request->schedule(), response] {
                          const auto record = Find(backend_, tenant, name);
                          if (record.ok()) Show(*record, response);
                          return record.status();
                        });
}

grpc::ServerUnaryReactor* ScheduleService::ListSchedules(grpc::CallbackServerContext* context,
                                                         const v1::ListSchedulesRequest* request,
                                                         v1::ListSchedulesResponse* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<DocumentQuery> query =
      ReadDocumentQuery(kScheduleCollection, principal->tenant, request->page_size(),
                        request->page_token(), /*descending=*/false);
  if (!query.ok()) return FinishWith(*context, query.status());
  return FinishWithRead(backend_, *context, [this, query = *query, response] {
    const auto rows = backend_.store.ListDocuments(query);
    if (!rows.ok()) return rows.status();
    for (const DocumentRow& row : *rows) {
      const auto record = ParseScheduleRecord(row);
      if (!record.ok()) return record.status();
      Show(*record, response->add_schedules());
    }
    response->set_next_page_token(NextDocumentToken(query, *rows));
    return absl::OkStatus();
  });
}

template <typename Request>
grpc::ServerUnaryReactor* ScheduleService::SetPaused(grpc::CallbackServerContext* context,
                                                     const Request& request,
                                                     absl::string_view method, bool paused,
                                                     v1::Schedule* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, method, request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  Input input;
  input.tenant = principal->tenant;
  input.request = *std::move(identity);
  const DocumentKey key{kScheduleCollection, principal->tenant, request.schedule()};
  const auto changed = std::make_shared<ScheduleRecord>();
  const int64_t now_ms = absl::ToUnixMillis(backend_.clock.Now());
  input.prepare = [key, changed, paused, now_ms](DrainView& view, Input&) {
    const auto found = view.FindDocument(key);
    if (!found.ok()) return found.status();
    if (!found->has_value()) return NotFound("schedule", key.id);
    const auto record = ParseScheduleRecord(**found);
    if (!record.ok()) return record.status();
    *changed = *record;
    // What passed while it was paused is not caught up with.
    if (!paused && changed->schedule().paused()) changed->set_done_ms(now_ms);
    changed->mutable_schedule()->set_paused(paused);
    return absl::OkStatus();
  };
  input.documents = [key, changed](const CommandResult&, std::vector<DocumentWrite>& documents) {
    documents.push_back({key, changed->SerializeAsString()});
  };
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Change(reactor, std::move(input), key.id, response);
  return reactor;
}

grpc::ServerUnaryReactor* ScheduleService::PauseSchedule(grpc::CallbackServerContext* context,
                                                         const v1::PauseScheduleRequest* request,
                                                         v1::Schedule* response) {
  return SetPaused(context, *request, "PauseSchedule", /*paused=*/true, response);
}

grpc::ServerUnaryReactor* ScheduleService::ResumeSchedule(grpc::CallbackServerContext* context,
                                                          const v1::ResumeScheduleRequest* request,
                                                          v1::Schedule* response) {
  return SetPaused(context, *request, "ResumeSchedule", /*paused=*/false, response);
}

grpc::ServerUnaryReactor* ScheduleService::DeleteSchedule(grpc::CallbackServerContext* context,
                                                          const v1::DeleteScheduleRequest* request,
                                                          google::protobuf::Empty*) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "DeleteSchedule", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  Input input;
  input.tenant = principal->tenant;
  input.request = *std::move(identity);
  const DocumentKey key{kScheduleCollection, principal->tenant, request->schedule()};
  input.prepare = [key](DrainView& view, Input&) {
    const auto found = view.FindDocument(key);
    if (!found.ok() || found->has_value()) return found.status();
    return NotFound("schedule", key.id);
  };
  input.documents = [key](const CommandResult&, std::vector<DocumentWrite>& documents) {
    documents.push_back({key, std::nullopt});
  };
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Change(reactor, std::move(input), key.id, nullptr);
  return reactor;
}

}  // namespace switchyard::scheduler
