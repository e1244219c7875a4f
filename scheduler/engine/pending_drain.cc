#include "scheduler/engine/pending_drain.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/status/error.h"
#include "scheduler/engine/core_builder.h"
#include "scheduler/engine/live_settings.h"
#include "scheduler/engine/refusal.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/engine/session_outputs.h"
#include "scheduler/engine/stored_workers.h"

namespace switchyard::scheduler {

PendingDrain::PendingDrain(Core& core, JobStore& store, SpecCache& specs, ModelLinks& models,
                           const Now& now)
    : core_(core),
      store_(store),
      spec_cache_(specs),
      now_(now),
      upstream_(core, store),
      assignments_(store, specs, models),
      registration_(store) {}

void PendingDrain::LookUp(const std::deque<Input>& inbox, size_t count) {
  requests_.Load(store_, inbox, count);
}

// --- Take ---

void PendingDrain::Take(Input input) {
  if (!input.done) {
    core_.Apply(input.event, now_, effects_);
    return;
  }
  const size_t index = pending_.size();
  Pending& pending = pending_.emplace_back();
  pending.done = std::move(input.done);
  const RequestLookup::Finding finding = requests_.Find(input);
  switch (finding.kind) {
    case RequestLookup::Finding::kOtherBody:
      pending.result.status = RequestIdReused(input.request.request_id);
      return;
    case RequestLookup::Finding::kUnreadable:
      pending.result.status = finding.status;
      return;
    case RequestLookup::Finding::kStored:
      pending.result.repeated = true;
      pending.result.job = finding.row.first_job;
      pending.result.job_count = finding.row.job_count;
      pending.result.reply = finding.row.reply;
      if (finding.row.job_count == 1) image_wanted_[finding.row.first_job].push_back(index);
      return;
    case RequestLookup::Finding::kClaimed:
      pending.same_as = finding.claimer;
      return;
    case RequestLookup::Finding::kNew:
      requests_.Claim(input, index);
      TakeCommand(index, input);
  }
}

// In the batch releases come before references: who releases what was recorded in this drain takes
// it out, who records after it was released has it.
void PendingDrain::ReleaseArtifact(size_t index, const std::string& sha256) {
  const std::string& tenant = pending_[index].tenant;
  auto& recorded = batch_.artifact_references;
  recorded.erase(std::remove_if(recorded.begin(), recorded.end(),
                                [&](const ArtifactReferenceRow& row) {
                                  return row.tenant == tenant && row.sha256 == sha256;
                                }),
                 recorded.end());
  batch_.released_artifacts.push_back({tenant, sha256});
}

void PendingDrain::TakeCommand(size_t index, Input& input) {
  Pending& pending = pending_[index];
  pending.tenant = std::move(input.tenant);
  pending.request = std::move(input.request);
  pending.remember = !pending.request.request_id.empty();
  if (input.explain.has_value()) return TakeQuestion(index, *input.explain);
  if (!input.waits_for.empty()) {
    pending.remember = false;
    pending.waits_for = std::move(input.waits_for);
    return;
  }
  if (input.many.has_value()) return TakeMany(index, *input.many, input.make_reply);
  if (input.artifact.has_value()) {
    input.artifact->tenant = pending.tenant;
    batch_.artifact_references.push_back(*std::move(input.artifact));
    return;
  }
  if (input.released_artifact.has_value()) return ReleaseArtifact(index, *input.released_artifact);
  if (input.prepare) {
    input.tenant = pending.tenant;
    pending.result.status = input.prepare(*this, input);
    if (!pending.result.status.ok()) return;
  }
  retried_.clear();
  TakeEvent(index, input.event, std::move(input.specs));
  if (pending_[index].result.status.ok()) TakeMore(index, std::move(input.more));
  if (!retried_.empty()) ReviveDependentsOf(index);
  if (input.documents && pending_[index].result.status.ok()) {
    input.documents(pending_[index].result, batch_.documents);
  }
}

void PendingDrain::TakeEvent(size_t index, Event& taken, std::vector<std::string> specs) {
  std::visit(
      [&](auto& event) {
        using Kind = std::decay_t<decltype(event)>;
        if constexpr (std::is_same_v<Kind, SubmitJobs>) {
          event.tag = index;
          event.tenant = pending_[index].tenant;
          TakeSubmit(index, event, std::move(specs));
        } else if constexpr (requires { event.ended; }) {
          event.tag = index;
          TakeJobCommand(index, event);
        } else if constexpr (requires { event.tag; }) {
          event.tag = index;
          Apply(index, std::move(event));
        } else {
          core_.Apply(std::move(event), now_, effects_);
        }
      },
      taken);
}

void PendingDrain::TakeMore(size_t index, std::vector<Event> more) {
  const std::string tenant = pending_[index].tenant;
  for (Event& event : more) {
    absl::Status status;
    std::visit(
        [&](auto& command) {
          if constexpr (requires { command.ended; }) status = TakeOneMore(command, tenant);
        },
        event);
    if (status.ok() || absl::IsNotFound(status) || absl::IsFailedPrecondition(status)) continue;
    pending_[index].result.status = status;
    return;
  }
}

template <typename Command>
absl::Status PendingDrain::TakeOneMore(Command& command, absl::string_view tenant) {
  // Most of many have ended, and to cancel these is nothing: they need not be read.
  if (std::is_same_v<Command, CancelJob> && !core_.IsLive(command.job)) return absl::OkStatus();
  std::shared_ptr<const JobImage> ended;
  absl::Status status = FindJob(command.job, tenant, ended);
  if (!status.ok()) return status;
  const JobId job = command.job;
  command.tag = kNone;
  command.ended = ended;
  if constexpr (std::is_same_v<Command, RetryJob>) status = AddUpstream(command, tenant);
  if (!status.ok()) return status;
  const size_t before = effects_.replies.size();
  core_.Apply(std::move(command), now_, effects_);
  for (size_t i = before; i < effects_.replies.size(); ++i) {
    if (effects_.replies[i].tag == kNone) status = ToStatus(effects_.replies[i].refusal, job);
  }
  if (!status.ok()) return status;
  if (std::is_same_v<Command, RetryJob>) retried_.push_back(job);
  if (!std::is_same_v<Command, DeleteJob>) return absl::OkStatus();
  deleted_.insert(job);
  ForgetReuse(job, ended.get());
  return absl::OkStatus();
}

template absl::Status PendingDrain::TakeOneMore(RetryJob& command, absl::string_view tenant);
template absl::Status PendingDrain::TakeOneMore(DeleteJob& command, absl::string_view tenant);

absl::Status PendingDrain::AddUpstream(RetryJob& retry, absl::string_view tenant) {
  JobImage live;
  const JobImage* image = retry.ended.get();
  if (image == nullptr && core_.Image(retry.job, live)) image = &live;
  if (image == nullptr || image->attempt_count > 0) return absl::OkStatus();
  return upstream_.AddStates(tenant, image->links.depends_on, retry.upstream);
}

void PendingDrain::ReviveDependentsOf(size_t index) {
  Pending& pending = pending_[index];
  absl::StatusOr<ReviveDependents> revive = upstream_.Dependents(pending.tenant, retried_);
  retried_.clear();
  if (revive.ok()) {
    if (!revive->images.empty()) core_.Apply(*std::move(revive), now_, effects_);
    return;
  }
  // The retry would be committed without those that wait for it: the drain is not committed at all.
  if (visit_status_.ok()) visit_status_ = revive.status();
}

absl::StatusOr<std::optional<DocumentRow>> PendingDrain::FindDocument(const DocumentKey& key) {
  const auto& writes = batch_.documents;
  const auto last = std::find_if(writes.rbegin(), writes.rend(),
                                 [&](const DocumentWrite& write) { return write.key == key; });
  if (last == writes.rend()) return store_.GetDocument(key);
  if (!last->bytes.has_value()) return std::nullopt;
  return DocumentRow{key, *last->bytes};
}

void PendingDrain::TakeSubmit(size_t index, SubmitJobs& submit, std::vector<std::string> specs) {
  const size_t count = submit.jobs.size();
  if (count == 0) return;  // A command whose substance is elsewhere.
  const bool validate_only = submit.validate_only;
  pending_[index].result.status = upstream_.AddStates(pending_[index].tenant, submit);
  if (!pending_[index].result.status.ok()) return;
  if (validate_only && count == 1)
    pending_[index].explain_new = std::make_shared<const NewJob>(submit.jobs.front());
  Apply(index, std::move(submit));
  Pending& pending = pending_[index];
  if (!pending.result.status.ok()) return;
  if (validate_only) {
    pending.remember = false;
    return;
  }
  pending.result.job_count = static_cast<uint32_t>(count);
  pending.specs = std::move(specs);
  accepted_.push_back({pending.result.job, count, index});
  if (count == 1) image_wanted_[pending.result.job].push_back(index);
}

template <typename Command>
void PendingDrain::TakeJobCommand(size_t index, Command& command) {
  Pending& pending = pending_[index];
  const JobId job = command.job;
  std::shared_ptr<const JobImage> ended;
  pending.result.status = FindJob(job, pending.tenant, ended);
  if (!pending.result.status.ok()) return;
  command.ended = ended;
  if constexpr (std::is_same_v<Command, RetryJob>) {
    pending.result.status = AddUpstream(command, pending.tenant);
    if (!pending.result.status.ok()) return;
  }
  Apply(index, std::move(command));
  if (!pending.result.status.ok()) return;
  if (std::is_same_v<Command, RetryJob>) retried_.push_back(job);
  pending.result.job = job;
  pending.result.job_count = 1;
  if (std::is_same_v<Command, DeleteJob>) {
    deleted_.insert(job);
    ForgetReuse(job, ended.get());
    return;
  }
  pending.result.image = std::move(ended);
  image_wanted_[job].push_back(index);
}

absl::Status PendingDrain::FindJob(JobId job, absl::string_view tenant,
                                   std::shared_ptr<const JobImage>& ended) {
  if (deleted_.count(job) != 0) return NotFound("job", FormatJobId(job));
  JobImage image;
  if (core_.IsLive(job)) {
    const bool foreign = core_.Image(job, image) && image.tenant != tenant;
    return foreign ? NotFound("job", FormatJobId(job)) : absl::OkStatus();
  }
  const absl::StatusOr<JobRow> row = store_.GetJob(job);
  if (!row.ok()) return row.status();
  if (row->tenant != tenant) return NotFound("job", FormatJobId(job));
  const absl::Status status = DecodeRow(*row, image);
  if (status.ok()) ended = std::make_shared<const JobImage>(std::move(image));
  return status;
}

void PendingDrain::Apply(size_t index, const Event& event) {
  const size_t before = effects_.replies.size();
  core_.Apply(event, now_, effects_);
  for (size_t i = before; i < effects_.replies.size(); ++i) {
    const struct Reply& reply = effects_.replies[i];
    if (reply.tag != index) continue;
    pending_[index].result.job = reply.job;
    pending_[index].result.status = ToStatus(reply.refusal, reply.job);
  }
}

// --- Settle ---

absl::Status PendingDrain::Settle() {
  core_.Advance(now_, effects_);
  AnswerQuestions();
  assignments_.Expect(std::move(effects_.assignments));
  registering_.insert(effects_.registrations.begin(), effects_.registrations.end());
  core_.TakeChanges([this](const Change& change) { Visit(change); });
  if (!visit_status_.ok()) return visit_status_;
  if (effects_.limits_changed) batch_.limits = ToRows(core_.limits());
  if (effects_.cordons_changed) {
    batch_.documents.push_back({CordonsKey(), EncodeCordons(core_.cordons())});
  }
  if (effects_.ledger_users_changed) {
    batch_.documents.push_back({LedgerUsersKey(), EncodeLedgerUsers(core_.ledger_users())});
  }
  if (effects_.settings_changed) {
    batch_.documents.push_back({LiveSettingsKey(), EncodeLiveSettings(core_.live_settings())});
  }
  const absl::Status status = assignments_.Make(batch_, now_, specs_read_);
  if (!status.ok()) return status;
  FillImages();
  RememberRequests();
  return absl::OkStatus();
}

void PendingDrain::Visit(const Change& change) {
  const JobImage& image = *change.image;
  Note& note = notes_.emplace_back();
  note.kind = change.kind;
  note.id = image.id;
  note.tenant = image.tenant;
  note.job_kind = image.kind;
  note.state = image.state;
  note.change_count = image.change_count;
  if (change.kind == Change::kDeleted) {
    batch_.deletes.push_back(image.id);
    return;
  }
  if (!image_wanted_.empty()) GiveImage(image);
  if (registering_.empty() || registering_.count(image.id) == 0) {
    Store(change, image, note);
    return;
  }
  JobImage registered = image;
  const absl::Status status = RegisterModel(registered);
  if (visit_status_.ok()) visit_status_ = status;
  Store(change, registered, note);
}

void PendingDrain::Store(const Change& change, const JobImage& image, Note& note) {
  const bool on_worker = image.state == JobState::kRunning || image.state == JobState::kCancelling;
  // The phase is nowhere but in memory, so that a running job's row is never all there is to know.
  if (on_worker || !change.store) note.live = std::make_shared<const JobImage>(image);
  if (!change.store) return;
  if (change.kind == Change::kInserted) {
    note.insert = batch_.inserts.size();
    JobRow& row = batch_.inserts.emplace_back();
    EncodeRow(image, row);
    row.spec = TakeAcceptedSpec(image.id);
  } else {
    note.update = batch_.updates.size();
    EncodeUpdate(image, batch_.updates.emplace_back());
  }
  assignments_.Note(image, note.insert);
  if (!image.outputs.empty()) RecordOutputs(image);
  if (!image.links.reuse_key.empty()) RememberForReuse(image);
}

void PendingDrain::RememberForReuse(const JobImage& image) {
  if (image.state != JobState::kSucceeded || image.links.reused_from != 0) return;
  batch_.documents.push_back(
      {{kReuseCollection, image.tenant, absl::BytesToHexString(image.links.reuse_key)},
       FormatJobId(image.id)});
}

void PendingDrain::ForgetReuse(JobId job, const JobImage* ended) {
  JobImage live;
  if (ended == nullptr) ended = core_.Image(job, live) ? &live : nullptr;
  if (ended == nullptr || ended->links.reuse_key.empty()) return;
  const DocumentKey key{kReuseCollection, ended->tenant,
                        absl::BytesToHexString(ended->links.reuse_key)};
  // A newer job may have taken its place. What cannot be read stays, and names a job that is gone:
  // whoever looks it up then runs for itself.
  const absl::StatusOr<std::optional<DocumentRow>> found = FindDocument(key);
  if (!found.ok() || !found->has_value() || (*found)->bytes != FormatJobId(job)) return;
  batch_.documents.push_back({key, std::nullopt});
}

std::string PendingDrain::TakeAcceptedSpec(JobId job) {
  // The core gives ids in the order of submission, so the commands lie by first id.
  const auto after =
      std::upper_bound(accepted_.begin(), accepted_.end(), job,
                       [](JobId id, const Accepted& accepted) { return id < accepted.first; });
  if (after == accepted_.begin()) return "";
  const Accepted& accepted = *std::prev(after);
  std::vector<std::string>& specs = pending_[accepted.pending].specs;
  const size_t position = job - accepted.first;
  if (specs.size() == 1) return accepted.count == 1 ? std::move(specs[0]) : specs[0];
  return position < specs.size() ? std::move(specs[position]) : "";
}

absl::Status PendingDrain::RegisterModel(JobImage& image) {
  const absl::StatusOr<std::string> spec =
      image.links.inputs.empty() ? FindSpec(image.id) : image.links.inputs;
  absl::StatusOr<ModelVersionRow> version =
      spec.ok() ? registration_.Register(*spec, image) : spec.status();
  if (version.ok()) {
    batch_.model_versions.push_back(*std::move(version));
    return absl::OkStatus();
  }
  // What would be the same next time must not stop the drain for ever.
  if (!absl::IsNotFound(version.status()) && !absl::IsDataLoss(version.status())) {
    return version.status();
  }
  LogWarning("a training succeeded without a model to register",
             {{"job", FormatJobId(image.id)}, {"reason", std::string(version.status().message())}});
  return absl::OkStatus();
}

absl::StatusOr<std::string> PendingDrain::FindSpec(JobId job) {
  absl::StatusOr<std::vector<std::string>> specs = store_.GetSpecs({job});
  if (!specs.ok()) return specs.status();
  return std::move(specs->front());
}

void PendingDrain::RecordOutputs(const JobImage& image) {
  for (const OutputArtifact& output : image.outputs) {
    // Segments are merged as long as the job lives: only the last ones stay.
    if (output.name == kEventsOutput && !HasEnded(image.state)) continue;
    batch_.artifact_references.push_back({.tenant = image.tenant,
                                          .sha256 = output.sha256,
                                          .size_bytes = output.size_bytes,
                                          .media_type = output.media_type,
                                          .create_ms = now_.wall_us / 1000});
  }
}

void PendingDrain::GiveImage(const JobImage& image) {
  const auto wanted = image_wanted_.find(image.id);
  if (wanted == image_wanted_.end()) return;
  const auto copy = std::make_shared<const JobImage>(image);
  for (const size_t index : wanted->second) pending_[index].result.image = copy;
  image_wanted_.erase(wanted);
}

void PendingDrain::FillImages() {
  // What is left did not change in this drain.
  for (const auto& [job, commands] : image_wanted_) {
    if (pending_[commands.front()].result.image != nullptr) continue;
    std::shared_ptr<const JobImage> image;
    const absl::Status status = ReadImage(job, image);
    for (const size_t index : commands) {
      pending_[index].result.image = image;
      if (!status.ok()) pending_[index].result.status = status;
    }
  }
}

// Leaves `image` null when the job was deleted since.
absl::Status PendingDrain::ReadImage(JobId job, std::shared_ptr<const JobImage>& image) {
  JobImage read;
  if (!core_.Image(job, read)) {
    const absl::StatusOr<JobRow> row = store_.GetJob(job);
    if (absl::IsNotFound(row.status())) return absl::OkStatus();
    if (!row.ok()) return row.status();
    const absl::Status status = DecodeRow(*row, read);
    if (!status.ok()) return status;
  }
  image = std::make_shared<const JobImage>(std::move(read));
  return absl::OkStatus();
}

void PendingDrain::RememberRequests() {
  const int64_t now_ms = now_.wall_us / 1000;
  for (Pending& pending : pending_) {
    if (!pending.remember || !pending.result.status.ok()) continue;
    RequestRow& row = batch_.requests.emplace_back();
    row.key = {std::move(pending.tenant), std::move(pending.request.method),
               std::move(pending.request.request_id)};
    row.body_sha256 = std::move(pending.request.body_sha256);
    row.first_job = pending.result.job;
    row.job_count = pending.result.job_count;
    row.reply = pending.result.reply;
    row.create_ms = now_ms;
    row.expire_ms = now_ms + pending.request.keep_us / 1000;
  }
}

// --- Perform ---

void PendingDrain::Perform(EngineOutput& output, LiveView& live_view,
                           std::vector<WorkerReports>& given_up) {
  UpdateLiveView(live_view);
  Send(output);
  Publish(output);
  Reply();
  KeepSpecs();
  given_up = assignments_.TakeGivenUp();
}

void PendingDrain::Fail(const absl::Status& status) {
  for (Pending& pending : pending_) {
    if (pending.done) pending.done(CommandResult{.status = status});
    pending.done = nullptr;
  }
}

void PendingDrain::Reply() {
  for (Pending& pending : pending_) {
    if (!pending.done) continue;
    if (pending.same_as != kNone) {
      pending.result = pending_[pending.same_as].result;
      pending.result.repeated = true;
    }
    pending.done(pending.result);
    pending.done = nullptr;
  }
}

void PendingDrain::UpdateLiveView(LiveView& live_view) const {
  for (const Note& note : notes_) {
    if (note.live != nullptr) {
      live_view.Put(note.live);
    } else if (note.insert == kNone) {
      live_view.Erase(note.id);
    }
  }
}

void PendingDrain::Send(EngineOutput& output) {
  for (SessionOutput& each : GroupBySession(effects_, assignments_.TakeAssignments())) {
    output.Send(core_.epoch(), std::move(each));
  }
}

void PendingDrain::Publish(EngineOutput& output) const {
  std::vector<JobNotice> notices;
  notices.reserve(notes_.size());
  for (const Note& note : notes_) {
    JobNotice& notice = notices.emplace_back();
    notice.kind = note.kind;
    notice.id = note.id;
    notice.tenant = note.tenant;
    notice.job_kind = note.job_kind;
    notice.state = note.state;
    notice.change_count = note.change_count;
    if (note.live != nullptr) {
      notice.image = note.live.get();
    } else if (note.insert != kNone) {
      notice.row = &batch_.inserts[note.insert];
    } else if (note.update != kNone) {
      notice.row = &batch_.updates[note.update];
    }
  }
  if (!notices.empty()) output.Publish(notices);
}

void PendingDrain::KeepSpecs() {
  for (JobRow& row : batch_.inserts) {
    if (!assignments_.Expects(row.id) && row.end_ms == 0) {
      spec_cache_.Put(row.id, std::move(row.spec));
    }
  }
}

}  // namespace switchyard::scheduler
