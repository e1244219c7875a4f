#include "scheduler/service/schedule_keeper.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/new_job.h"
#include "scheduler/service/pipelines.h"
#include "scheduler/service/submit_rules.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/references.h"

namespace switchyard::scheduler {
namespace {

// A due time that nobody dealt with for so long passed while no scheduler ran.
constexpr absl::Duration kMissedAfter = absl::Seconds(30);
constexpr absl::Duration kTryAgain = absl::Seconds(1);
constexpr absl::Duration kLongestSleep = absl::Seconds(5);  // The wall clock may be set.
constexpr absl::Duration kFollowPause = absl::Milliseconds(500);  // Between looks who leads.
constexpr int kSchedulesRead = 200;

DocumentKey KeyOf(const storage::v1::ScheduleRecord& record) {
  return {kScheduleCollection, record.schedule().tenant(), record.schedule().name()};
}

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status);
}

}  // namespace

absl::StatusOr<storage::v1::ScheduleRecord> ParseScheduleRecord(const DocumentRow& row) {
  storage::v1::ScheduleRecord record;
  if (record.ParseFromString(row.bytes)) return record;
  return absl::DataLossError(absl::StrCat("the stored schedule ", row.key.id, " cannot be read"));
}

absl::StatusOr<Cron> CronOf(const storage::v1::ScheduleRecord& record) {
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(record.schedule().time_zone());
  if (!zone.ok()) return zone.status();
  return Cron::Parse(record.schedule().cron(), *zone, absl::FromUnixMillis(record.create_ms()));
}

ScheduleKeeper::ScheduleKeeper(const Backend& backend, PipelineKeeper& pipelines)
    : backend_(backend), pipelines_(pipelines), thread_([this] { Run(); }) {}

ScheduleKeeper::~ScheduleKeeper() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void ScheduleKeeper::Changed(const std::string& tenant, const std::string& name) {
  MutexLock lock(mutex_);
  due_[{tenant, name}] = absl::InfinitePast();  // Read at once.
  changed_.Signal();
}

bool ScheduleKeeper::FindAll() {
  DocumentQuery query{.collection = kScheduleCollection, .max_rows = kSchedulesRead};
  while (true) {
    const auto rows = backend_.store.ListDocuments(query);
    if (!rows.ok()) return false;
    for (const DocumentRow& row : *rows) Changed(row.key.tenant, row.key.id);
    if (static_cast<int>(rows->size()) < query.max_rows) return true;
    query.after = {rows->back().key.tenant, rows->back().key.id};
  }
}

bool ScheduleKeeper::Leads() {
  const uint64_t term = LeadingTerm(backend_.leadership, backend_.clock);
  if (std::exchange(term_, term) != term) {
    MutexLock lock(mutex_);
    due_.clear();
    found_ = false;
  }
  if (term != 0 && !found_) found_ = FindAll();
  return term != 0;
}

// False: it is to end.
bool ScheduleKeeper::WaitALittle() {
  MutexLock lock(mutex_);
  if (!stop_) changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(kFollowPause));
  return !stop_;
}

void ScheduleKeeper::Run() {
  while (true) {
    if (!Leads()) {
      if (!WaitALittle()) return;
      continue;
    }
    std::vector<Name> unread;
    std::vector<Name> due;
    {
      MutexLock lock(mutex_);
      if (stop_) return;
      const absl::Time now = backend_.clock.Now();
      absl::Duration sleep = kLongestSleep;
      for (const auto& [name, time] : due_) {
        if (time == absl::InfinitePast()) {
          unread.push_back(name);
        } else if (time <= now) {
          due.push_back(name);
        } else {
          sleep = std::min(sleep, time - now);
        }
      }
      if (unread.empty() && due.empty()) {
        changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(sleep));
        continue;
      }
    }
    for (const Name& name : unread) Read(name);
    for (const Name& name : due) {
      if (Fire(name)) {
        Read(name);
      } else {
        MutexLock lock(mutex_);
        due_[name] = backend_.clock.Now() + kTryAgain;
      }
    }
  }
}

void ScheduleKeeper::Read(const Name& name) {
  const auto row = backend_.store.GetDocument({kScheduleCollection, name.first, name.second});
  absl::Time due = backend_.clock.Now() + kTryAgain;
  if (row.ok() && row->has_value()) {
    const auto record = ParseScheduleRecord(**row);
    const auto cron = record.ok() ? CronOf(*record) : record.status();
    due = cron.ok() && !record->schedule().paused()
              ? cron->Next(absl::FromUnixMillis(record->done_ms()))
              : absl::InfiniteFuture();
  }
  MutexLock lock(mutex_);
  if (row.ok() && !row->has_value()) {
    due_.erase(name);
  } else {
    due_[name] = due;
  }
}

bool ScheduleKeeper::Fire(const Name& name) {
  const auto row = backend_.store.GetDocument({kScheduleCollection, name.first, name.second});
  if (!row.ok()) return false;
  if (!row->has_value()) return true;
  const auto record = ParseScheduleRecord(**row);
  const auto cron = record.ok() ? CronOf(*record) : record.status();
  if (!cron.ok() || record->schedule().paused()) return true;
  const absl::Time now = backend_.clock.Now();
  const absl::Time due = cron->Latest(absl::FromUnixMillis(record->done_ms()), now);
  if (due == absl::InfinitePast()) return true;
  absl::Status status;
  if (now - due > kMissedAfter && record->schedule().catch_up() != v1::Schedule::ONE) {
    status = Skip(*record, due, "no scheduler ran at the time", /*counts=*/true);
  } else {
    const absl::StatusOr<bool> runs = StillRuns(*record);
    if (!runs.ok()) return false;
    status = *runs ? Skip(*record, due, "the run before has not ended", /*counts=*/true)
                   : Submit(*record, due);
  }
  // Somebody else has dealt with it, or the schedule has changed: it is read again.
  return status.ok() || absl::IsAborted(status);
}

absl::StatusOr<bool> ScheduleKeeper::StillRuns(const Record& record) {
  if (record.schedule().concurrency() != v1::Schedule::FORBID || record.last_made().empty()) {
    return false;
  }
  const std::string& tenant = record.schedule().tenant();
  if (record.schedule().has_job()) {
    const JobId id = ParseJobId(record.last_made()).value_or(0);
    const absl::StatusOr<JobImage> image = ReadImage(backend_, tenant, id);
    if (absl::IsNotFound(image.status())) return false;
    if (!image.ok()) return image.status();
    return !HasEnded(image->state);
  }
  const auto pipeline = FindPipeline(backend_, tenant, record.last_made());
  if (absl::IsNotFound(pipeline.status())) return false;
  if (!pipeline.ok()) return pipeline.status();
  v1::Pipeline shown;
  absl::Status status = ShowPipeline(backend_, JobCounter(backend_, tenant), *pipeline, &shown);
  if (!status.ok()) return status;
  return shown.state() == v1::Pipeline::RUNNING;
}

absl::Status ScheduleKeeper::Submit(const Record& record, absl::Time due) {
  // What its maker might do was checked when it was made; what the key may do now counts.
  const absl::StatusOr<Principal> principal =
      backend_.principals.Standing(record.schedule().tenant(), record.key());
  absl::Status status = principal.status();
  if (status.ok()) status = RequireScope(*principal, Scope::kJobs);
  if (status.ok()) {
    status = record.schedule().has_job() ? SubmitJob(record, *principal, due)
                                         : SubmitPipeline(record, *principal, due);
  }
  if (status.ok() || absl::IsAborted(status) || MayPass(status)) return status;
  LogWarning("a schedule could not submit its work",
             {{"schedule", record.schedule().name()}, {"error", status.ToString()}});
  return Skip(record, due, std::string(status.message()), /*counts=*/true);
}

absl::Status ScheduleKeeper::SubmitJob(const Record& record, const Principal& principal,
                                       absl::Time due) {
  v1::Job job = record.schedule().job();
  const FieldFaults path("schedule.job");
  absl::Status status = CheckAllowed(job, RulesFor(backend_, principal), path);
  if (status.ok() && RefersToAnything(job))
    status = ResolveReferences(principal.tenant, path, backend_.references, job);
  if (!status.ok()) return status;
  Input input;
  SubmitJobs submit;
  submit.jobs.push_back(MakeNewJob(job));
  submit.jobs.back().key = principal.key;
  input.event = std::move(submit);
  input.specs.push_back(job.SerializeAsString());
  return Post(std::move(input), record, due, record, "");
}

absl::Status ScheduleKeeper::SubmitPipeline(const Record& record, const Principal& principal,
                                            absl::Time due) {
  absl::StatusOr<PreparedPipeline> prepared =
      PreparePipeline(backend_, principal, record.schedule().pipeline());
  if (!prepared.ok()) return prepared.status();
  const std::string id = prepared->record.pipeline().id();
  const bool complete = prepared->expansion.complete;
  const absl::Status status = Post(MakePipelineInput(*std::move(prepared), /*validate_only=*/false),
                                   record, due, record, id);
  if (status.ok() && !complete) pipelines_.Watch(principal.tenant, id);
  return status;
}

absl::Status ScheduleKeeper::Skip(const Record& record, absl::Time due, const std::string& why,
                                  bool counts) {
  Record after = record;
  after.set_done_ms(absl::ToUnixMillis(due));
  after.set_message(why);
  if (counts) after.set_skipped(after.skipped() + 1);
  Input input;
  const DocumentKey key = KeyOf(record);
  input.tenant = key.tenant;
  input.prepare = [key, before = record.SerializeAsString()](DrainView& view, Input&) {
    const auto found = view.FindDocument(key);
    if (!found.ok()) return found.status();
    return found->has_value() && (*found)->bytes == before
               ? absl::OkStatus()
               : absl::AbortedError("the schedule has changed meanwhile");
  };
  input.documents = [key, after](const CommandResult&, std::vector<DocumentWrite>& documents) {
    documents.push_back({key, after.SerializeAsString()});
  };
  std::promise<absl::Status> done;
  PostCommand(backend_, std::move(input), 0,
              [&done](const CommandResult& result) { done.set_value(result.status); });
  return done.get_future().get();
}

absl::Status ScheduleKeeper::Post(Input input, const Record& before, absl::Time due, Record after,
                                  const std::string& made) {
  after.set_done_ms(absl::ToUnixMillis(due));
  after.set_last_run_ms(absl::ToUnixMillis(due));
  after.set_runs(after.runs() + 1);
  after.clear_message();
  const DocumentKey key = KeyOf(before);
  input.tenant = key.tenant;
  input.request.method = "FireSchedule";
  input.request.request_id = absl::StrCat(key.id, "@", absl::ToUnixMillis(due));
  input.request.body_sha256 = std::string(32, '\0');
  input.prepare = [key, bytes = before.SerializeAsString()](DrainView& view, Input&) {
    const auto found = view.FindDocument(key);
    if (!found.ok()) return found.status();
    return found->has_value() && (*found)->bytes == bytes
               ? absl::OkStatus()
               : absl::AbortedError("the schedule has changed meanwhile");
  };
  input.documents = [key, after, made, also = std::move(input.documents)](
                        const CommandResult& result, std::vector<DocumentWrite>& documents) {
    if (also) also(result, documents);
    Record stored = after;
    stored.set_last_made(made.empty() ? FormatJobId(result.job) : made);
    documents.push_back({key, stored.SerializeAsString()});
  };
  std::promise<CommandResult> done;
  PostCommand(backend_, std::move(input), 0,
              [&done](const CommandResult& result) { done.set_value(result); });
  const CommandResult result = done.get_future().get();
  if (result.status.ok() && !result.repeated) backend_.metrics.Submitted(result.job_count);
  return result.status;
}

}  // namespace switchyard::scheduler
