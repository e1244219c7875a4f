#include "scheduler/store/memory_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

absl::Status Injected() { return absl::UnavailableError("the store failed (injected)"); }

std::tuple<std::string, std::string, std::string> NameOf(const RequestKey& key) {
  return {key.tenant, key.method, key.request_id};
}

}  // namespace

double SeededFaults::Draw() {
  // SplitMix64 (Steele, Lea and Flood, 2014): small, and alike on every platform, unlike
  // std::uniform_*.
  state_ += 0x9E3779B97F4A7C15ull;
  uint64_t word = state_;
  word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9ull;
  word = (word ^ word >> 27) * 0x94D049BB133111EBull;
  word ^= word >> 31;
  return static_cast<double>(word >> 11) * 0x1.0p-53;
}

absl::Duration SeededFaults::DrawDelay() {
  if (Draw() >= options_.slow) return absl::ZeroDuration();
  ++slow_;
  return options_.longest_delay * Draw();
}

StoreFault SeededFaults::OnWrite() {
  StoreFault fault;
  fault.delay = DrawDelay();
  const double draw = Draw();
  if (draw < options_.write_fails) {
    ++failed_;
    fault.kind = StoreFault::kFail;
  } else if (draw < options_.write_fails + options_.write_fails_after_commit) {
    ++failed_after_commit_;
    fault.kind = StoreFault::kFailAfterCommit;
  }
  return fault;
}

StoreFault SeededFaults::OnRead() {
  StoreFault fault;
  fault.delay = DrawDelay();
  if (Draw() < options_.read_fails) {
    ++failed_;
    fault.kind = StoreFault::kFail;
  }
  return fault;
}

MemoryStore::MemoryStore(StoreFaults* faults, std::function<void(absl::Duration)> wait)
    : faults_(faults), wait_(std::move(wait)) {}

StoreFault MemoryStore::BeforeWrite() {
  if (faults_ == nullptr) return {};
  const StoreFault fault = faults_->OnWrite();
  if (wait_ && fault.delay > absl::ZeroDuration()) wait_(fault.delay);
  return fault;
}

absl::Status MemoryStore::BeforeRead() {
  if (faults_ == nullptr) return absl::OkStatus();
  const StoreFault fault = faults_->OnRead();
  if (wait_ && fault.delay > absl::ZeroDuration()) wait_(fault.delay);
  return fault.kind == StoreFault::kNone ? absl::OkStatus() : Injected();
}

absl::StatusOr<uint64_t> MemoryStore::BumpEpoch() {
  MutexLock lock(mutex_);
  const StoreFault fault = BeforeWrite();
  if (fault.kind == StoreFault::kFail) return Injected();
  ++epoch_;
  if (fault.kind == StoreFault::kFailAfterCommit) return Injected();
  return epoch_;
}

absl::Status MemoryStore::Commit(uint64_t epoch, const WriteBatch& batch) {
  MutexLock lock(mutex_);
  const StoreFault fault = BeforeWrite();
  if (fault.kind == StoreFault::kFail) return Injected();
  if (epoch != epoch_) {
    return absl::FailedPreconditionError(absl::StrCat("this scheduler's epoch ", epoch,
                                                      " is not the stored one, ", epoch_,
                                                      ": another one leads"));
  }
  const absl::Status status = Check(batch);
  if (!status.ok()) return status;
  Apply(batch);
  return fault.kind == StoreFault::kFailAfterCommit ? Injected() : absl::OkStatus();
}

absl::Status MemoryStore::Check(const WriteBatch& batch) const {
  std::set<JobId> inserted;
  for (const JobRow& row : batch.inserts) {
    if (tables_.jobs.count(row.id) != 0 || !inserted.insert(row.id).second) {
      return absl::AlreadyExistsError(absl::StrCat("job ", FormatJobId(row.id), " is stored"));
    }
  }
  for (const JobUpdate& row : batch.updates) {
    if (tables_.jobs.count(row.id) == 0 && inserted.count(row.id) == 0) {
      return absl::NotFoundError(
          absl::StrCat("there is no row of job ", FormatJobId(row.id), " to update"));
    }
  }
  std::set<RequestName> requests;
  for (const RequestRow& row : batch.requests) {
    const RequestName name = NameOf(row.key);
    if (tables_.requests.count(name) != 0 || !requests.insert(name).second) {
      return absl::AlreadyExistsError(absl::StrCat("request ", row.key.request_id, " is stored"));
    }
  }
  std::set<ModelName> models;
  for (const ModelVersionRow& row : batch.model_versions) {
    const ModelName name(row.tenant, row.model, row.version);
    if (tables_.models.count(name) != 0 || !models.insert(name).second) {
      return absl::AlreadyExistsError(
          absl::StrCat("model ", row.model, " version ", row.version, " is stored"));
    }
  }
  return absl::OkStatus();
}

void MemoryStore::Apply(const WriteBatch& batch) {
  for (const JobRow& row : batch.inserts) tables_.jobs[row.id] = row;
  for (const JobUpdate& row : batch.updates) static_cast<JobUpdate&>(tables_.jobs[row.id]) = row;
  for (const JobId id : batch.deletes) {
    tables_.jobs.erase(id);
    tables_.last_deleted = std::max(tables_.last_deleted, id);
  }
  for (const RequestRow& row : batch.requests) tables_.requests[NameOf(row.key)] = row;
  for (const ModelVersionRow& row : batch.model_versions) {
    tables_.models[{row.tenant, row.model, row.version}] = row;
  }
  for (const ArtifactReferenceKey& key : batch.released_artifacts) {
    tables_.artifacts.erase({key.tenant, key.sha256});
  }
  for (const ArtifactReferenceRow& row : batch.artifact_references) {
    tables_.artifacts.insert({{row.tenant, row.sha256}, row});
  }
  if (batch.limits.has_value()) tables_.limits = *batch.limits;
  for (const DocumentWrite& write : batch.documents) {
    tables_.documents.erase(write.key);
    if (write.bytes.has_value()) tables_.documents[write.key] = *write.bytes;
  }
}

bool MemoryStore::AnyJobLives(const RequestRow& row) const {
  for (auto job = tables_.jobs.lower_bound(row.first_job);
       job != tables_.jobs.end() && job->first < row.first_job + row.job_count; ++job) {
    if (job->second.end_ms == 0) return true;
  }
  return false;
}

absl::StatusOr<int> MemoryStore::RemoveExpiredRequests(int64_t now_ms, int max_scanned) {
  MutexLock lock(mutex_);
  const StoreFault fault = BeforeWrite();
  if (fault.kind == StoreFault::kFail) return Injected();
  int removed = 0;
  auto row = tables_.requests.upper_bound(expiry_cursor_);
  for (int scanned = 0; scanned < max_scanned && row != tables_.requests.end(); ++scanned) {
    expiry_cursor_ = row->first;
    if (row->second.expire_ms <= now_ms && !AnyJobLives(row->second)) {
      row = tables_.requests.erase(row);
      ++removed;
    } else {
      ++row;
    }
  }
  if (row == tables_.requests.end()) expiry_cursor_ = {};
  if (fault.kind == StoreFault::kFailAfterCommit) return Injected();
  return removed;
}

absl::StatusOr<JobRow> MemoryStore::GetJob(JobId id) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  const auto found = tables_.jobs.find(id);
  if (found == tables_.jobs.end()) return NotFound("job", FormatJobId(id));
  return found->second;
}

absl::StatusOr<std::vector<JobRow>> MemoryStore::GetJobs(absl::Span<const JobId> ids) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<JobRow> rows;
  for (const JobId id : ids) {
    const auto found = tables_.jobs.find(id);
    if (found != tables_.jobs.end()) rows.push_back(found->second);
  }
  return rows;
}

absl::StatusOr<std::vector<std::string>> MemoryStore::GetSpecs(absl::Span<const JobId> ids) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<std::string> specs;
  for (const JobId id : ids) {
    const auto found = tables_.jobs.find(id);
    if (found == tables_.jobs.end()) return NotFound("job", FormatJobId(id));
    specs.push_back(found->second.spec);
  }
  return specs;
}

absl::StatusOr<std::vector<uint32_t>> MemoryStore::GetStates(absl::string_view tenant, JobId first,
                                                             uint32_t count) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<uint32_t> states(count);
  for (auto job = tables_.jobs.lower_bound(first);
       job != tables_.jobs.end() && job->first < first + count; ++job) {
    if (job->second.tenant == tenant) states[job->first - first] = job->second.state;
  }
  return states;
}

absl::StatusOr<JobPage> MemoryStore::ListJobs(const JobQuery& query) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  JobPage page;
  int scanned = 0;
  auto job = query.before == 0 ? tables_.jobs.end() : tables_.jobs.lower_bound(query.before);
  while (static_cast<int>(page.rows.size()) < query.max_rows && scanned < query.max_scanned) {
    if (job == tables_.jobs.begin()) {
      page.next_before = 0;
      return page;
    }
    const JobRow& row = (--job)->second;
    if (row.id < query.from) {
      page.next_before = 0;
      return page;
    }
    if (row.tenant != query.tenant) continue;
    ++scanned;
    page.next_before = row.id;
    if (query.kind != 0 && row.kind != query.kind) continue;
    if (query.states != 0 && (query.states >> row.state & 1) == 0) continue;
    page.rows.push_back(row);
  }
  return page;
}

absl::Status MemoryStore::LoadLive(const std::function<absl::Status(JobRow&)>& row) {
  std::vector<JobRow> live;
  {
    MutexLock lock(mutex_);
    const absl::Status status = BeforeRead();
    if (!status.ok()) return status;
    for (const auto& [id, job] : tables_.jobs) {
      if (job.end_ms == 0) live.push_back(job);
    }
  }
  for (JobRow& job : live) {
    job.spec.clear();
    const absl::Status status = row(job);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<JobId> MemoryStore::LastJobId() {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  const JobId highest = tables_.jobs.empty() ? 0 : tables_.jobs.rbegin()->first;
  return std::max(highest, tables_.last_deleted);
}

absl::StatusOr<std::vector<std::optional<RequestRow>>> MemoryStore::FindRequests(
    absl::Span<const RequestKey> keys) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<std::optional<RequestRow>> rows(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto found = tables_.requests.find(NameOf(keys[i]));
    if (found != tables_.requests.end()) rows[i] = found->second;
  }
  return rows;
}

absl::StatusOr<ModelVersionRow> MemoryStore::GetModelVersion(absl::string_view tenant,
                                                             absl::string_view model,
                                                             uint32_t version) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  const ModelName wanted(tenant, model, version == 0 ? UINT32_MAX : version);
  auto found = tables_.models.upper_bound(wanted);
  if (found == tables_.models.begin()) return ModelNotFound(model, version);
  const ModelVersionRow& row = (--found)->second;
  const bool fits =
      row.tenant == tenant && row.model == model && (version == 0 || row.version == version);
  if (!fits) return ModelNotFound(model, version);
  return row;
}

absl::StatusOr<std::vector<ModelVersionRow>> MemoryStore::ListModels(absl::string_view tenant,
                                                                     absl::string_view after,
                                                                     int max_rows) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<ModelVersionRow> rows;
  for (const auto& [name, row] : tables_.models) {
    if (row.tenant != tenant || row.model <= after) continue;
    const bool newer = !rows.empty() && rows.back().model == row.model;
    if (newer) {
      rows.back() = row;
    } else if (static_cast<int>(rows.size()) == max_rows) {
      break;
    } else {
      rows.push_back(row);
    }
  }
  return rows;
}

absl::StatusOr<std::optional<ArtifactReferenceRow>> MemoryStore::FindArtifactReference(
    absl::string_view tenant, absl::string_view sha256) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  const auto found = tables_.artifacts.find({std::string(tenant), std::string(sha256)});
  if (found == tables_.artifacts.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<std::vector<ArtifactReferenceRow>> MemoryStore::ListArtifactReferences(
    absl::string_view tenant, absl::string_view after, int max_rows) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<ArtifactReferenceRow> rows;
  for (auto row = tables_.artifacts.upper_bound({std::string(tenant), std::string(after)});
       row != tables_.artifacts.end() && row->first.first == tenant &&
       static_cast<int>(rows.size()) < max_rows;
       ++row) {
    rows.push_back(row->second);
  }
  return rows;
}

absl::StatusOr<ArtifactUse> MemoryStore::SumArtifactReferences(absl::string_view tenant) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  ArtifactUse use;
  for (const auto& [key, row] : tables_.artifacts) {
    if (key.first != tenant) continue;
    ++use.artifacts;
    use.bytes += row.size_bytes;
  }
  return use;
}

absl::StatusOr<std::vector<bool>> MemoryStore::AreArtifactsReferenced(
    absl::Span<const std::string> sha256s) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<bool> referenced;
  for (const std::string& sha256 : sha256s) {
    referenced.push_back(std::any_of(tables_.artifacts.begin(), tables_.artifacts.end(),
                                     [&](const auto& row) { return row.first.second == sha256; }));
  }
  return referenced;
}

absl::StatusOr<std::vector<LimitRow>> MemoryStore::GetLimits() {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  return tables_.limits;
}

absl::StatusOr<std::optional<DocumentRow>> MemoryStore::GetDocument(const DocumentKey& key) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  const auto found = tables_.documents.find(key);
  if (found == tables_.documents.end()) return std::nullopt;
  return DocumentRow{found->first, found->second};
}

absl::StatusOr<std::vector<DocumentRow>> MemoryStore::ListDocuments(const DocumentQuery& query) {
  MutexLock lock(mutex_);
  const absl::Status status = BeforeRead();
  if (!status.ok()) return status;
  std::vector<DocumentRow> rows;
  const auto take = [&](const auto& document) {
    const DocumentKey& key = document.first;
    const std::pair place(key.tenant, key.id);
    const bool wanted =
        key.collection == query.collection && key.tenant == query.tenant.value_or(key.tenant);
    const bool beyond = !query.after.has_value() ||
                        (query.descending ? place < *query.after : place > *query.after);
    const bool room = static_cast<int>(rows.size()) < query.max_rows;
    if (wanted && beyond && room) rows.push_back({key, document.second});
  };
  if (query.descending) {
    std::for_each(tables_.documents.rbegin(), tables_.documents.rend(), take);
  } else {
    std::for_each(tables_.documents.begin(), tables_.documents.end(), take);
  }
  return rows;
}

std::vector<JobRow> MemoryStore::AllJobs(JobId first, uint64_t most) const {
  MutexLock lock(mutex_);
  std::vector<JobRow> rows;
  auto next = tables_.jobs.lower_bound(first);
  for (; next != tables_.jobs.end() && rows.size() < most; ++next) rows.push_back(next->second);
  return rows;
}

uint64_t MemoryStore::epoch() const {
  MutexLock lock(mutex_);
  return epoch_;
}

}  // namespace switchyard::scheduler
