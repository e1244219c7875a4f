#include "scheduler/service/pipeline_keeper.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <vector>

#include "common/log/log.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/pipelines.h"

namespace switchyard::scheduler {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(2);
constexpr absl::Duration kFollowPause = absl::Milliseconds(500);  // Between looks who leads.
constexpr int kPipelinesRead = 200;

}  // namespace

PipelineKeeper::PipelineKeeper(const Backend& backend)
    : backend_(backend), thread_([this] { Run(); }) {}

PipelineKeeper::~PipelineKeeper() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void PipelineKeeper::Watch(const std::string& tenant, const std::string& id) {
  MutexLock lock(mutex_);
  watched_[{tenant, id}] = {backend_.clock.BootTime(), kFirstPause};
  changed_.Signal();
}

void PipelineKeeper::Run() {
  while (true) {
    const absl::Duration pause = Leads() ? LookAtDue() : kFollowPause;
    MutexLock lock(mutex_);
    if (stop_) return;
    changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(pause));
    if (stop_) return;
  }
}

bool PipelineKeeper::Leads() {
  const uint64_t term = LeadingTerm(backend_.leadership, backend_.clock);
  if (std::exchange(term_, term) == term) return term != 0;
  {
    MutexLock lock(mutex_);
    watched_.clear();
  }
  if (term != 0) FindAll();
  return term != 0;
}

void PipelineKeeper::FindAll() {
  DocumentQuery query{.collection = kPipelineCollection, .max_rows = kPipelinesRead};
  while (true) {
    const auto rows = backend_.store.ListDocuments(query);
    if (!rows.ok()) {
      LogWarning("cannot look through the pipelines", {{"error", rows.status().ToString()}});
      return;
    }
    for (const DocumentRow& row : *rows) {
      const auto record = ParsePipelineRecord(row);
      if (record.ok() && !IsExpanded(*record)) Watch(row.key.tenant, row.key.id);
    }
    if (static_cast<int>(rows->size()) < query.max_rows) return;
    query.after = {rows->back().key.tenant, rows->back().key.id};
  }
}

absl::Duration PipelineKeeper::LookAtDue() {
  const absl::Duration now = backend_.clock.BootTime();
  std::vector<Name> due;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, watched] : watched_) {
      if (watched.next_look <= now) due.push_back(name);
    }
  }
  for (const Name& name : due) {
    const bool more = Look(name);
    MutexLock lock(mutex_);
    if (stop_) return absl::ZeroDuration();
    const auto found = watched_.find(name);
    if (found == watched_.end()) continue;
    if (!more) {
      watched_.erase(found);
      continue;
    }
    found->second.next_look = backend_.clock.BootTime() + found->second.pause;
    found->second.pause = std::min(found->second.pause * 2, kLongestPause);
  }
  absl::Duration pause = kLongestPause;
  MutexLock lock(mutex_);
  for (const auto& [name, watched] : watched_) pause = std::min(pause, watched.next_look - now);
  return std::max(pause, absl::Milliseconds(1));
}

bool PipelineKeeper::Look(const Name& name) {
  const auto record = FindPipeline(backend_, name.first, name.second);
  if (absl::IsNotFound(record.status())) return false;
  if (!record.ok()) return true;
  // When it is resumed it is watched anew.
  if (record->cancelled() || !record->expansion_error().empty()) return false;
  if (IsExpanded(*record)) return false;
  Expand(name, *record);
  return true;
}

void PipelineKeeper::Expand(const Name&, const storage::v1::PipelineRecord& record) {
  v1::Pipeline pipeline = record.pipeline();
  FieldFaults faults("pipeline");
  const PipelinePlan plan = PlanPipeline(pipeline, faults);
  if (!faults.empty()) return StoreError(record, faults.ToStatus());
  const KnownItems known = Known(record, plan);
  if (known.empty()) return;
  absl::StatusOr<Expansion> expansion = ExpandPipeline(record, plan, known);
  if (!expansion.ok()) return StoreError(record, expansion.status());
  if (!expansion->steps.empty()) Post(MakeExpansionInput(record, *std::move(expansion)));
}

KnownItems PipelineKeeper::Known(const storage::v1::PipelineRecord& record,
                                 const PipelinePlan& plan) {
  KnownItems known;
  const std::string& tenant = record.pipeline().tenant();
  for (int i = 0; i < record.pipeline().steps_size(); ++i) {
    if (plan.steps[i].list_of < 0) continue;
    const std::string& source = record.pipeline().steps(plan.steps[i].list_of).name();
    for (const storage::v1::StepJobs& jobs : record.steps()) {
      if (jobs.step() != source || jobs.count() == 0) continue;
      const absl::StatusOr<v1::Job> job = ReadJob(backend_, tenant, jobs.first_job());
      if (!job.ok() || job->state() != v1::Job::SUCCEEDED) continue;
      const v1::PipelineStep& step = record.pipeline().steps(i);
      known[step.name()] = ItemsFrom(step, *job);
    }
  }
  return known;
}

void PipelineKeeper::Post(Input input) {
  // One at a time: the next look sees what became of it.
  std::promise<absl::Status> done;
  PostCommand(backend_, std::move(input), 0,
              [&done](const CommandResult& result) { done.set_value(result.status); });
  const absl::Status status = done.get_future().get();
  // What may pass is tried again at the next look.
  if (!status.ok() && !absl::IsAborted(status)) {
    LogWarning("a pipeline could not go on; trying again", {{"error", status.ToString()}});
  }
}

void PipelineKeeper::StoreError(const storage::v1::PipelineRecord& record,
                                const absl::Status& error) {
  storage::v1::PipelineRecord broken = record;
  broken.set_expansion_error(std::string(error.message()));
  Input input = MakeExpansionInput(record, Expansion());
  input.documents = [broken](const CommandResult&, std::vector<DocumentWrite>& documents) {
    documents.push_back({PipelineKey(broken.pipeline().tenant(), broken.pipeline().id()),
                         broken.SerializeAsString()});
  };
  Post(std::move(input));
}

}  // namespace switchyard::scheduler
