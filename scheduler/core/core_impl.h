// The core's state and its parts. Internal to scheduler/core: one file of definitions for each
// question answered.
//   commands.cc   what clients ask            workers.cc    attach, detach, heartbeat, lease expiry
//   reports.cc    what became of attempts     lifecycle.cc  how jobs and attempts begin and end
//   place.cc      who runs next, and where    images.cc     to and from the store; views
//   core.cc       the way in, timers          tenants.cc    what operators set
//   gang.cc       attempts on several devices reservation.cc  what is kept for them
//   preempt.cc    who makes room for more urgent work
//   blocking.cc   who waits for whom         usage.cc      who used how much
//   memory.cc     what memory is promised    cordon.cc     who gets no new work, and draining
//   explain.cc    why a job waits
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/core.h"
#include "scheduler/core/dependencies.h"
#include "scheduler/core/gang.h"
#include "scheduler/core/interner.h"
#include "scheduler/core/learned.h"
#include "scheduler/core/pool_index.h"
#include "scheduler/core/reservation.h"
#include "scheduler/core/row.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/timer_queue.h"
#include "scheduler/core/urgent_use.h"
#include "scheduler/core/victims.h"
#include "scheduler/core/waiting_queue.h"
#include "scheduler/policy/retry.h"

namespace switchyard::scheduler {

// For people: `12.3 GiB`.
std::string MemoryText(int64_t bytes);

struct WorkerRow {
  std::string id;
  std::string incarnation;  // Empty: known only from restored attempts.
  std::string host;
  std::string version;
  uint64_t session = 0;  // 0: stale.
  uint64_t newest_session = 0;
  bool restored = false;  // Its attempts are from the store, from before this core.
  int64_t attach_us = 0;
  int64_t last_seen_us = 0;
  int64_t lease_until_us = 0;  // Boot clock.
  uint32_t lease_timer = kNone;
  uint64_t kinds = 0;
  std::vector<std::string> kind_names;
  std::vector<WorkerDevice> devices;
  std::vector<uint32_t> pools;
  HostFigures host_figures;
  bool host_busy = false;
  std::vector<DeviceMemory> memory;  // Of `devices`, in their order.
  uint32_t serving_timer = kNone;
  uint32_t drain_timer = kNone;
  uint32_t attempts_head = kNone;
  uint32_t attempts = 0;
};

class Core::Impl {
 public:
  explicit Impl(CoreConfig config);

  void Restore(const JobImage& image, const Now& now);
  void Apply(const Event& event, const Now& now, Effects& effects);
  void Advance(const Now& now, Effects& effects);
  void TakeChanges(absl::FunctionRef<void(const Change&)> visit);
  bool IsLive(JobId job) const { return Find(job) != kNone; }
  bool Image(JobId job, JobImage& image) const;
  bool Explain(JobId job, const Now& now, Explanation& explanation);
  void ExplainNew(const std::string& tenant, const NewJob& job, const Now& now,
                  Explanation& explanation);
  bool WaitsFor(JobId job, WaitingNow& waiting) const;
  Wakeup NextWakeup() const;
  std::vector<WorkerView> Fleet() const;
  QueueView Queue() const;
  std::vector<Cordon> Cordons() const;
  std::vector<LedgerUser> LedgerUsers() const {
    return {ledger_users_.begin(), ledger_users_.end()};
  }
  AccountsView ViewAccounts() const;
  void RestorePolicyState(const PolicyState& state, const Now& now);
  PolicyState SavePolicyState() const;

  CoreConfig config_;  // `limits` and `last_job_id` are kept up to date.

 private:
  struct Kind {
    KindConfig config;
  };
  // The shapes that fit a group, among the first `known`.
  struct Fitting {
    std::vector<uint32_t> shapes;
    uint32_t known = 0;
  };
  // Since when the best job of a group finds no place.
  struct Blocked {
    JobId job = 0;
    int64_t since_us = 0;                // Boot clock.
    uint32_t awaited = 0;                // Devices under notice for it.
    uint64_t refused_at_version = kAny;  // Places a gang does not fit, though enough are free.
    int64_t ask_us = 0;  // Boot clock: when models may be asked to give way for it again.
    size_t looked = 0;   // Pools looked at for that.
    int64_t too_large_us =
        0;  // Boot clock: since when no device known could hold it; 0: one could.
    static constexpr uint64_t kAny = UINT64_MAX;
  };
  // Where an attempt ran out of memory.
  struct RanOutOn {
    uint32_t pool = kNone;
    int64_t granted_bytes = 0;
    std::string device;  // `cuda:0 of worker-1`.
  };
  // Places that a gang of a group could use.
  struct GangRoom {
    uint32_t open = 0;
    uint32_t free = 0;
    uint32_t soon = 0;
  };

  // commands.cc
  void On(const SubmitJobs& event);
  void On(const CancelJob& event);
  void On(const RetryJob& event);
  void On(const UpdateJob& event);
  void On(const DeleteJob& event);
  void On(const UpdateLimits& event);
  // Whether a command's job is there: in memory, or ended and stored, and not deleted earlier in
  // this drain.
  bool Exists(uint32_t job, JobId id, const JobImage* ended) const;
  bool RoomFor(uint32_t tenant, uint64_t jobs, Refusal& refusal) const;
  bool DeviceExists(const std::string& request, Refusal& refusal) const;
  // False: a gang of more devices than its tenant or key may use at once, now that it is submitted.
  bool CapsAllow(uint32_t tenant, const NewJob& job, Refusal& refusal);
  uint32_t AddNew(const NewJob& job, uint32_t account, JobId id, JobId first);
  void SetPriority(uint32_t job, uint8_t priority);
  void Revive(uint32_t job);
  void ReviveAs(uint32_t job, JobState state);
  const JobLinks* LinksOf(uint32_t job, const JobImage* ended) const;
  Reply& Answer(uint64_t tag, JobId job);
  void Refuse(uint64_t tag, JobId job, Refusal refusal);

  // tenants.cc
  void On(const SetTenant& event);
  void On(const SetKey& event);
  void On(const SetArrayWidth& event);
  void On(const PauseQueue& event);
  void On(const InteractiveUse& event);
  // Configured, then changed.
  void ApplySettings();
  void ApplyPauses();
  void RecallPaused();
  TenantSettings SettingsOf(const TenantPatch& patch) const;
  KeySettings SettingsOf(const KeyPatch& patch) const;

  // blocking.cc
  void On(const ReviveDependents& event);
  void On(const InputsResolved& event);
  JobLinks& Links(uint32_t job);
  bool LivesStill(JobId id) const;
  // Whether all jobs of `range` are the tenant's and none has ended but SUCCEEDED. `stored`: states
  // of those that are not in memory.
  bool MayWaitFor(uint32_t tenant, const JobRange& range, const std::map<JobId, JobState>& stored,
                  Refusal& refusal) const;
  bool DependenciesAllow(uint32_t tenant, const SubmitJobs& event, Refusal& refusal) const;
  // Makes a new row BLOCKED when it depends on anything. `first`: id of the submit's first job.
  bool TakeLinks(const NewJob& job, JobId first, uint32_t index);
  // Notes new jobs in the rows of those they depend on.
  void TellUpstream(const SubmitJobs& event, JobId first);
  // Lets a BLOCKED job wait for what it depends on. Called again after a restore or a revival.
  void Block(uint32_t job);
  // Of a BLOCKED job that waits for no other: it is queued, or its inputs are asked for.
  void Unblock(uint32_t job);
  // After the end of a job others wait for.
  void TellDependents(uint32_t job);
  void GroupOver(uint32_t job);
  void EndWithUpstream(uint32_t job, uint32_t upstream);
  // Whether it was ended with one it depends on, and lives again when that one is retried. A cancel
  // takes it out of that.
  static bool WaitsForRetry(const JobImage& image);
  bool WaitsForRetry(uint32_t job) const;
  void BlockRestored();
  void Revive(const JobImage& image, const std::map<JobId, JobState>& upstream);
  // usage.cc
  // An attempt of a job, a gang as one: handed out, its seats all made; known from the store;
  // ended.
  void CountDispatch(uint32_t attempt);
  void CountRestored(const LiveAttempt& attempt);
  void CountEnd(const LiveAttempt& attempt);
  // One device of it: begins to run; is given up; has run before its start was heard of.
  void CountStart(const LiveAttempt& seat);
  void CountLeave(const LiveAttempt& seat);
  void CountUnseenRun(const LiveAttempt& seat, int64_t run_us);
  void HandOutSeat(uint32_t seat);
  void SweepCharges();
  // Where urgent work has had its share of the place it would get, takes what goes there instead,
  // if anything waits for it.
  void InsteadOfUrgent(uint32_t& group, Candidate& best);
  // Whether urgent work of the group has had its share of all that fits.
  bool UrgentHadItsShare(uint32_t group) const;

  // workers.cc
  void On(const WorkerAttached& event);
  void On(const WorkerDetached& event);
  void On(const WorkerHeartbeat& event);
  void On(const WorkerDevicesChanged& event);
  void On(const WorkerDraining& event);
  uint32_t WorkerOf(uint64_t session);  // kNone: none; then the session is closed.
  uint32_t WorkerNamed(const std::string& id);
  void RenewLease(uint32_t worker);
  void Disconnect(uint32_t worker);
  void LoseWorker(uint32_t worker);
  void Describe(WorkerRow& worker, const WorkerAttached& event);
  void DropPools(uint32_t worker);
  void Reconcile(uint32_t worker, const WorkerAttached& event, bool same_incarnation);
  void EndUnseen(uint32_t worker, bool same_incarnation);
  void RemindOf(uint32_t attempt);
  // Takes all attempts out of a worker's pools and those down; the attempts by dispatch.
  std::vector<uint32_t> TakePools(uint32_t worker);
  void AddPools(uint32_t worker, const std::vector<uint32_t>& held);
  void EnterPool(uint32_t attempt);
  std::vector<DeviceLimit> LimitsOf(const WorkerRow& worker) const;
  uint32_t LimitOf(const WorkerRow& worker, const std::string& device, JobClass job_class) const;
  void OnLeaseTimer(uint32_t worker);

  // cordon.cc
  void On(const CordonWorker& event);
  void On(const WorkerHostChanged& event);
  // Why a worker gets no new work.
  ClosedBy WhyClosed(const WorkerRow& worker) const;
  // Opens or closes its pools as WhyClosed says.
  void OpenPools(uint32_t worker);
  void LookAtHost(WorkerRow& worker);
  // Hands back what a cordoned worker has not started, and at the deadline what still runs.
  void Empty(uint32_t worker);
  void OnDrainTimer(uint32_t worker);

  // memory.cc
  void On(const WorkerServing& event);
  // What an attempt of the job is to be granted on each device; 0: unknown or none.
  int64_t NeedOf(const LiveJob& row) const {
    // Most work states none, and none is known of its like.
    const KindConfig& kind = kinds_[row.kind].config;
    if (row.cold == nullptr && kind.default_memory_bytes <= 0 && learned_.Need(row.workload) <= 0)
      return 0;
    return StatedOrLearned(row);
  }
  int64_t StatedOrLearned(const LiveJob& row) const;
  // A need nobody stated, at most what the largest fitting device has: its margin must not keep a
  // job off a device that like work ran on.
  int64_t Possible(const LiveJob& row, int64_t need_bytes) const;
  // Moves a waiting job whose need is no longer what it was queued by to its group; false: it is.
  bool Regroup(uint32_t job);
  // Most a fitting device could ever grant; -1: none is known. kMemoryUnknown: one does not say.
  int64_t LargestDevice(uint8_t kind, const std::string& request) const;
  // The same for a job on several devices: that so many of one sort could grant each.
  int64_t LargestFor(const LiveJob& row) const;
  std::string NameLargest(uint8_t kind, const std::string& request, int64_t largest) const;
  bool MemoryExists(const NewJob& job, Refusal& refusal) const;
  void OpenMemory(uint32_t worker, const WorkerAttached& event);
  void CloseMemory(uint32_t worker);
  static int64_t SetAside(const DeviceMemory& memory);
  void PromiseServing(DeviceMemory& memory, int64_t bytes);
  std::vector<ServingBudget> GrowServing(uint32_t worker);
  void AskToEvict(uint32_t worker, size_t device, int64_t budget_bytes);
  void OnServingTimer(uint32_t worker);
  // Remembers which shared ledger a worker draws on (empty: none), so that a restart knows of it.
  void NoteLedgerUser(const std::string& worker, const std::string& ledger);
  void GiveUpLedgerUsers();
  // Whether room for another attempt is there and only memory is missing.
  bool WaitsForMemory(uint32_t group, const LiveJob& row) const;
  void EvictFor(uint32_t group, const LiveJob& row);
  bool EvictOn(uint32_t pool, int64_t need_bytes);
  int64_t EvictableOn(uint32_t pool) const;
  // Serving runners that could free some of the ledger, as worker and place among its devices.
  std::vector<std::pair<uint32_t, size_t>> Evictable(uint32_t ledger) const;
  // Whether a free place is one for the group and its ledger has room for it beside those before it
  // that a gang could take too.
  bool SeatFits(uint32_t group, uint32_t pool, int64_t need_bytes) const;
  // Ends jobs of the group that no device known could hold, once that has been so for long.
  // Leaves `best` the group's best job that may still find a place; false: there is none.
  bool EndTooLarge(uint32_t group, Candidate& best);
  std::string TooLargeMessage(const LiveJob& row, int64_t largest) const;
  // Whether the job would fit where the attempt runs, were it gone.
  bool MemoryAfter(const LiveAttempt& attempt, uint32_t job) const;
  void RanOut(uint32_t job, const RanOutOn& on, const Finished& report);
  std::string RanOutMessage(const LiveJob& row, const RanOutOn& on, const Finished& report) const;
  std::string MemoryMessage(const LiveJob& row) const;

  // reports.cc
  void On(const WorkerReports& event);
  // Takes one report; false when its fencing is not that of a live attempt of this worker.
  bool Take(uint32_t worker, const AttemptReport& report);
  void Take(uint32_t attempt, const Held&);
  void Take(uint32_t attempt, const Started& report);
  void Take(uint32_t attempt, const Finished& report);
  void Take(uint32_t attempt, const Returned&);
  void Take(uint32_t attempt, const CheckpointStored& report);
  void Take(uint32_t attempt, const EventsStored& report);
  void RefuseStale(uint32_t worker, const AttemptReport& report);
  uint32_t FindAttempt(uint32_t worker, const AttemptRef& ref) const;
  // `ends`: what is told is its end, so nobody need watch it.
  void Begin(uint32_t attempt, int64_t start_us, bool ends = false);
  void Accept(uint32_t attempt, const Finished& report);
  void Succeed(uint32_t job);
  void AddOutput(uint32_t job, const OutputArtifact& artifact);
  // What the running attempt made: its event segments replace those it had told before.
  void AddOutputs(uint32_t job, const std::vector<OutputArtifact>& artifacts);

  // lifecycle.cc
  uint32_t Find(JobId job) const;
  uint32_t AddRow(JobId id, uint32_t account);
  void RemoveRow(uint32_t job);
  JobCold& Cold(uint32_t job);
  void MarkStored(uint32_t job);
  void MarkPublished(uint32_t job);
  void Count(const LiveJob& row, int by);
  void SetState(uint32_t job, JobState state, Reason reason);
  void RecordChange(LiveJob& row, JobState state, Reason reason, int64_t time_us);
  void EndJob(uint32_t job, JobState state, Reason reason, absl::string_view message,
              int error_code);
  // Puts a QUEUED job without attempt where it waits: the queue, or a timer.
  void Enqueue(uint32_t job);
  void ArmExpiry(uint32_t job);
  // Starts ending a live job: at once, or by cancelling its attempt.
  void RequestEnd(uint32_t job, Ending ending);
  void EndAsRequested(uint32_t job);
  // To all members of a gang / to the worker of this attempt or member.
  void SendCancel(uint32_t attempt, bool checkpoint_first);
  void SendCancelTo(uint32_t attempt, bool checkpoint_first);
  void SendRecall(uint32_t attempt);
  AttemptRef Ref(const LiveAttempt& attempt) const;
  void Describe(const LiveAttempt& attempt, AttemptImage& image) const;
  void NoteProgress(LiveAttempt& attempt, Phase phase, float progress);
  // Takes an attempt off its worker and into the job's past; its job is then without attempt.
  AttemptImage& EndAttempt(uint32_t attempt, Outcome outcome);
  // EndAttempt for every outcome but success, and what follows for the job.
  void AttemptOver(uint32_t attempt, Outcome outcome, const Finished* report);
  void EndAndFollow(uint32_t attempt, Outcome outcome, bool started, const Finished* report);
  void Follow(uint32_t job, const RetryDecision& decision, const Finished* report);
  void Link(uint32_t worker, uint32_t attempt);
  void Unlink(uint32_t attempt);
  int64_t TimeoutOf(const LiveJob& row) const;
  int64_t NoProgressOf(const LiveJob& row) const;
  // When a running attempt's timeout, or its time without progress, is over at the earliest;
  // kNever.
  int64_t EndDue(const LiveAttempt& attempt) const;
  // Which of them is over; kNone: it showed progress since.
  Ending EndNow(const LiveAttempt& attempt) const;
  // For the timeout, or for the time without progress when that is over sooner.
  void ArmTimeout(uint32_t attempt);

  // place.cc
  void Place();
  bool PlaceOne();
  uint32_t ChoosePool(uint32_t group, const Candidate& candidate);
  // To be called before `shapes_` or `blocked_` of a group are looked at.
  void RefreshShapes(uint32_t group) {
    if (group >= shapes_.size() || shapes_[group].known != pools_.shapes()) FindShapes(group);
  }
  void FindShapes(uint32_t group);
  // Whether any of its places takes more, whatever its memory and whoever it is kept for.
  bool SomeRoom(uint32_t group) const;
  // REQUIRES: RefreshShapes.
  bool HasRoom(uint32_t group, const Candidate& candidate);
  uint32_t StepMask(uint32_t group) const;
  void Dispatch(uint32_t job, uint32_t pool, int level);
  void FillAttempt(uint32_t job, int level, LiveAttempt& attempt);
  void RecallForBlocked();
  // The worst held attempt whose recall would make room for the group's best job; kNone: none.
  uint32_t WorstHeld(uint32_t group, const Candidate& waiting);
  // Whether a recalled attempt's room on places of the shape would be the waiting job's.
  bool RecallHelps(uint32_t shape, uint32_t group, const Candidate& waiting);
  void Assign(const LiveAttempt& attempt, uint32_t worker);
  void ArmHeld(uint32_t pool);
  void OnHeldTimer(uint32_t pool);
  void OnAttemptTimer(uint32_t attempt);
  void OnTimer(const Timer& timer);

  // gang.cc
  bool IsGpu(uint32_t shape) const;
  // A gang has devices of one sort: whether this group's are GPUs.
  bool GangOnGpus(uint32_t group) const;
  GangRoom RoomOf(uint32_t group) const;
  bool GangFits(uint32_t group, const Candidate& candidate);
  // False and `refusal`: all attached workers could never give it so many.
  bool GangPossible(const NewJob& job, Refusal& refusal) const;
  std::vector<uint32_t> ChooseSeats(uint32_t group, int64_t need_bytes);
  void FewestWorkers(uint32_t count, std::vector<uint32_t>& pools) const;
  // False: the free places do not fit after all; nothing has changed.
  bool DispatchGang(uint32_t group, uint32_t job, int level);
  void AddSeat(uint32_t gang, const LiveAttempt& like, uint32_t pool);
  std::string NextRendezvous(uint32_t worker);
  void AssignMember(uint32_t gang, uint32_t member);
  // The first seat of a worker's member; kNone: none of the worker, or ended.
  uint32_t FindMember(uint32_t gang, uint32_t worker) const;
  // True for an attempt on one device and for the first seat of a member.
  bool IsLead(uint32_t attempt) const;
  void BeginMember(uint32_t lead, int64_t start_us);
  void BeginGang(uint32_t gang, int64_t start_us);
  void ArmGangTimeout(uint32_t gang);
  void OnGangTimer(uint32_t gang);
  void TakeMember(uint32_t lead, const Finished& report);
  void AddMemberOutput(uint32_t lead, OutputArtifact artifact);
  // A member has ended, by any of its seats; and what follows for the others and the job.
  void MemberOver(uint32_t seat, Outcome outcome, const Finished* report);
  void LeaveSeat(uint32_t seat);
  void GangOver(uint32_t gang);
  void DropGang(uint32_t gang);
  std::vector<MemberImage> DescribeMembers(uint32_t gang) const;
  void RestoreGang(LiveAttempt seat, const AttemptImage& image);

  // reservation.cc
  // When an attempt in its pool will end, as far as is known. To be called when it enters or
  // starts.
  void ExpectEnd(uint32_t attempt);
  uint32_t GateOf(uint32_t shape) const;
  void SetGates(const Reservation& reservation, uint32_t to);
  void RebuildGates();
  // Drops what nobody waits for any more.
  void ReviewReservations();
  bool MayReserve(uint32_t group, const Candidate& waiting);
  bool Overlap(uint32_t group, uint32_t other) const;
  void Reserve(uint32_t group, const Candidate& waiting);
  void ReleaseReservation(uint32_t group);
  bool HoldsReservation(uint32_t group) const;
  const GangStart& StartOf(Reservation& held);
  GangStart EarliestStart(uint32_t group, const GangSupply& supply, bool gpus);
  // Longest expected run of a waiting job; kNever: unknown.
  int64_t RunOf(uint32_t job) const;
  int64_t ExpectedRun(const LiveJob& row) const;
  bool MayBackfillInto(Reservation& held, const Candidate& candidate);
  // Load steps of a shape that a job may use, whatever is kept there for others.
  uint32_t GateMask(uint32_t shape, uint32_t group, const Candidate& candidate);
  bool MayTakeReserved(uint32_t group, const Candidate& candidate);
  bool KeptForGang(uint32_t group) const;

  // preempt.cc
  PreemptionPolicy Preempting() const;
  // An attempt has started: from now on it is protected, then a possible victim.
  void ProtectVictim(uint32_t attempt);
  void PromoteVictims();
  Victims::Order& VictimsLike(const LiveAttempt& attempt, int priority);
  VictimEntry AsVictim(uint32_t attempt) const;
  void EnterVictim(uint32_t attempt);
  void ForgetVictim(uint32_t attempt);
  // It has stored a checkpoint.
  void WorkSaved(uint32_t attempt);
  void VictimReprioritised(uint32_t job);
  bool WithinGuarantee(uint32_t job) const;
  bool MayPreempt(const Candidate& waiting, uint32_t victim) const;
  bool FitsGroup(uint32_t group, const LiveAttempt& attempt) const;
  // Attempts that free so many devices; empty: there are not enough.
  std::vector<uint32_t> ChooseVictims(uint32_t group, const Candidate& waiting, uint32_t devices);
  int64_t StartWithoutPreempting(uint32_t group);
  uint32_t DevicesMissing(uint32_t group) const;
  void PreemptFor(uint32_t group, const Candidate& waiting);
  // Asks an attempt, all members of it, to checkpoint and hand its devices back. `group`: for whom;
  // kNone: its worker is to be emptied.
  void GiveNotice(uint32_t attempt, uint32_t group);
  void GiveGangNotice(uint32_t gang, int64_t due_us);
  void SendNotice(uint32_t attempt, int64_t due_us);
  // The attempt with the notice has ended.
  void NoticeOver(const LiveAttempt& attempt);
  // explain.cc
  struct Rooms;
  void ExplainWaiting(uint32_t job, Explanation& explanation);
  void ExplainAssigned(const LiveJob& row, Explanation& explanation);
  void ExplainQuota(const Tenant& tenant, Explanation& explanation) const;
  std::vector<PauseRule> PausesOf(const LiveJob& row) const;
  void ExplainHold(const LiveJob& row, Explanation& explanation) const;
  void ExplainStart(const Standing& standing, const Rooms& rooms, Explanation& explanation) const;
  void ExplainPlaces(uint32_t group, Rooms& rooms, Explanation& explanation);
  void LookAtPool(uint32_t pool, Rooms& rooms, Explanation& explanation) const;
  std::vector<int64_t> SlotsOf(uint32_t pool, uint32_t held, int64_t& starts_us, int& budget) const;
  Competitor LookAtGroup(uint32_t group, uint32_t own);
  void ExplainNeed(const LiveJob& row, Explanation& explanation) const;
  void NameClosed(const Pool& pool, Explanation& explanation) const;
  void ListUpstream(const LiveJob& row, Explanation& explanation) const;
  void ListDevices(Explanation& explanation) const;

  // images.cc
  void FillImage(uint32_t job, JobImage& image) const;
  // All but what grows with what the job went through: attempts, history, outputs, results.
  void FillFixed(uint32_t job, const JobCold& cold, JobImage& image) const;
  // The same of an ended job that is about to be forgotten: takes what it can.
  void TakeImage(uint32_t job, JobImage& image);
  uint32_t LoadImage(const JobImage& image);
  void RestoreAttempt(uint32_t job, const AttemptImage& image);
  Reason WaitingReason(const LiveJob& row) const;
  Reason ReasonWithDevices(const LiveJob& row, uint32_t group) const;
  // Into `message`, whose memory is used again.
  void SayWhy(const LiveJob& row, Reason reason, std::string& message) const;
  void FillLive(const LiveJob& row, JobImage& image) const;
  void FillUse(const Pool& pool, WorkerView& view) const;

  uint8_t KindIndex(uint16_t number) const;

  std::vector<Kind> kinds_;
  Interner devices_;  // Requests, devices and device names.
  Interner models_;
  Interner work_shapes_;  // NewJob::shape.
  Learned learned_;
  Slab<LiveJob> rows_;
  Slab<LiveAttempt> attempts_;
  Slab<WorkerRow> workers_;
  Slab<Gang> gangs_;
  // Looked up only, never iterated: their order is random.
  absl::flat_hash_map<JobId, uint32_t> jobs_;
  absl::flat_hash_map<uint64_t, uint32_t> sessions_;
  std::map<std::string, uint32_t> worker_names_;
  Accounts accounts_;
  Charges charges_;
  mutable UrgentUse urgent_;               // Asking brings it up to now.
  std::map<std::string, Cordon> cordons_;  // By worker.
  std::set<LedgerUser> ledger_users_;
  WaitingQueue queue_;
  PoolIndex pools_;
  std::vector<Fitting> shapes_;   // By group.
  std::vector<Blocked> blocked_;  // By group.
  std::vector<Reservation> reservations_;
  std::vector<uint32_t> gates_;  // By shape: the reservation that closes it; kNone.
  Victims victims_;
  uint64_t walk_ = 0;  // Walks over expected ends so far.
  uint64_t next_rendezvous_ = 0;
  int64_t first_boot_us_ = kNever;  // Of the first event.
  Interner hosts_;
  Dependencies dependencies_;
  std::vector<JobId> ended_awaited_;        // Whose dependents are still to be told.
  std::vector<uint32_t> restored_blocked_;  // Restored, and not yet waiting for anything.
  uint64_t waits_begun_ = 0;                // Generations given out.
  JobRange range_over_{0, 0};               // The last range that was found to have succeeded.
  JobRange range_fine_{0, 0};               // The last range in which none has failed.
  TimerQueue wall_timers_;
  TimerQueue boot_timers_;
  int64_t memory_wanted_us_ = 0;   // Boot clock: when a job last waited for memory alone.
  int64_t next_ageing_us_ = 0;     // Boot clock.
  int64_t recall_at_us_ = kNever;  // Boot clock: when a blocked job may call worse ones back.
  bool more_to_place_ = false;
  bool waits_for_users_ = false;  // Of shared ledgers; the timer that ends it is not set yet.
  uint64_t dispatches_ = 0;       // Counter of fencing numbers.
  uint64_t queued_ = 0;
  uint64_t running_ = 0;
  uint64_t blocked_jobs_ = 0;
  uint64_t queued_by_priority_[10] = {};
  std::vector<uint32_t> changed_;
  std::vector<std::pair<JobId, std::string>>
      deleted_;  // Ended jobs that were not in memory: id, tenant.
  absl::flat_hash_set<JobId> deleted_ids_;
  JobImage scratch_;
  Now now_;
  Effects* effects_ = nullptr;  // Of the call in progress.
};

}  // namespace switchyard::scheduler
