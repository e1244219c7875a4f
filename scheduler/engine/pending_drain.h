// One drain in the making: from the inputs taken to the batch that is committed, and from the
// commit to the effects. The engine makes one, calls the steps in order, and forgets it.
//
//   LookUp    which request ids are known          (reads the store)
//   Take      each input: core.Apply               (memory only, but for commands on ended jobs)
//   Settle    core.Advance, changed rows, specs    (reads the store)
//   ...       the engine commits batch()
//   Perform   live view, sends, notices, replies   (or Fail, when the commit did)
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "scheduler/core/core.h"
#include "scheduler/engine/assignment_maker.h"
#include "scheduler/engine/engine.h"
#include "scheduler/engine/live_view.h"
#include "scheduler/engine/model_links.h"
#include "scheduler/engine/request_lookup.h"
#include "scheduler/engine/spec_cache.h"
#include "scheduler/engine/upstream.h"

namespace switchyard::scheduler {

class PendingDrain final : private DrainView {
 public:
  // All are borrowed.
  PendingDrain(Core& core, JobStore& store, SpecCache& specs, ModelLinks& models, const Now& now);

  // The request ids of the first `count` inputs.
  void LookUp(const std::deque<Input>& inbox, size_t count);
  void Take(Input input);
  absl::Status Settle();

  const WriteBatch& batch() const { return batch_; }
  // Writes one more document in this drain's commit.
  void Add(DocumentWrite document) { batch_.documents.push_back(std::move(document)); }
  uint64_t specs_read() const { return specs_read_; }
  const std::vector<JobId>& ready() const { return effects_.ready; }
  bool fleet_changed() const { return effects_.fleet_changed; }
  bool settings_changed() const { return effects_.settings_changed; }
  const std::vector<uint64_t>& closed_sessions() const { return effects_.closed_sessions; }

  // After the commit. Afterwards `given_up` holds reports to be taken in the next drain.
  void Perform(EngineOutput& output, LiveView& live_view, std::vector<WorkerReports>& given_up);
  // Answers every command with `status` and performs nothing.
  void Fail(const absl::Status& status);
  // Answers the commands. Perform does it; before the commit it is the planted bug.
  void Reply();

 private:
  static constexpr size_t kNone = ~size_t{0};

  // A command taken, until it is answered.
  struct Pending {
    std::function<void(CommandResult)> done;
    std::string tenant;
    RequestIdentity request;
    std::vector<std::string> specs;  // Of a submit, until its jobs are visited.
    CommandResult result;
    size_t same_as = kNone;  // An earlier command of this drain whose result this one gets.
    bool remember = false;   // Its request id is to be stored.
    // What is asked once this drain's jobs are placed: of a live job, or of one that would be
    // submitted.
    JobId explain = 0;
    std::shared_ptr<const NewJob> explain_new;
    std::vector<JobId> waits_for;
  };
  // Jobs accepted by one command: ids first .. first + count - 1.
  struct Accepted {
    JobId first;
    size_t count;
    size_t pending;
  };
  // A change to be published. A row lies in batch_ and is found there once the batch is whole.
  struct Note {
    Change::Kind kind = Change::kUpdated;
    JobId id = 0;
    std::string tenant;
    uint16_t job_kind = 0;
    JobState state = JobState::kUnspecified;
    uint32_t change_count = 0;
    size_t insert = kNone;
    size_t update = kNone;
    std::shared_ptr<const JobImage> live;  // For the live view: memory is ahead of the row.
  };

  void ReleaseArtifact(size_t index, const std::string& sha256);
  void TakeCommand(size_t index, Input& input);
  void TakeEvent(size_t index, Event& event, std::vector<std::string> specs);
  void TakeSubmit(size_t index, SubmitJobs& submit, std::vector<std::string> specs);
  void TakeMore(size_t index, std::vector<Event> more);
  template <typename Command>
  absl::Status TakeOneMore(Command& command, absl::string_view tenant);
  // Completes a retry with the states of what its job depends on.
  absl::Status AddUpstream(RetryJob& retry, absl::string_view tenant);
  // Lets those wait again who were cancelled because a job failed that the command has retried.
  void ReviveDependentsOf(size_t index);
  absl::StatusOr<std::optional<DocumentRow>> FindDocument(const DocumentKey& key) override;
  bool IsLive(JobId job) const override { return core_.IsLive(job); }
  template <typename Command>
  void TakeJobCommand(size_t index, Command& command);
  void TakeQuestion(size_t index, JobId job);
  void AnswerQuestions();
  void TakeMany(size_t index, const ManyJobs& many,
                const std::function<std::string(const CommandResult&)>& make_reply);
  // What its command needs of a job: the stored image when it has ended (null: there is none).
  // NOT_FOUND for other tenants'.
  absl::Status FindJob(JobId job, absl::string_view tenant, std::shared_ptr<const JobImage>& ended);
  void Apply(size_t index, const Event& event);

  void Visit(const Change& change);
  void Store(const Change& change, const JobImage& image, Note& note);
  std::string TakeAcceptedSpec(JobId job);
  absl::Status RegisterModel(JobImage& image);
  absl::StatusOr<std::string> FindSpec(JobId job);
  void RecordOutputs(const JobImage& image);
  void RememberForReuse(const JobImage& image);
  // A job is deleted: its result is not to be found any more.
  void ForgetReuse(JobId job, const JobImage* ended);
  void GiveImage(const JobImage& image);
  void FillImages();
  absl::Status ReadImage(JobId job, std::shared_ptr<const JobImage>& image);
  void RememberRequests();

  void UpdateLiveView(LiveView& live_view) const;
  void Send(EngineOutput& output);
  void Publish(EngineOutput& output) const;
  void KeepSpecs();

  Core& core_;
  JobStore& store_;
  SpecCache& spec_cache_;
  const Now now_;
  RequestLookup requests_;
  UpstreamReader upstream_;
  AssignmentMaker assignments_;
  ModelRegistration registration_;

  std::vector<Pending> pending_;
  std::vector<Accepted> accepted_;  // By first id.
  Effects effects_;
  WriteBatch batch_;
  std::vector<Note> notes_;
  absl::Status visit_status_;  // First failure among the visits.
  uint64_t specs_read_ = 0;
  absl::flat_hash_map<JobId, std::vector<size_t>> image_wanted_;  // Job to its commands.
  std::vector<JobId> retried_;  // By the command that is being taken.
  absl::flat_hash_set<JobId> deleted_;
  absl::flat_hash_set<JobId> registering_;
};

}  // namespace switchyard::scheduler
