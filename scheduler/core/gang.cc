// Attempts on several devices: how they are placed, begin and end. See gang.h.
#include "scheduler/core/gang.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/placement.h"

namespace switchyard::scheduler {

// --- Whether and where ---

bool Core::Impl::IsGpu(uint32_t shape) const { return pools_.Name(shape).gpu; }

bool Core::Impl::GangOnGpus(uint32_t group) const {
  uint32_t gpus = 0;
  bool others = false;
  for (const uint32_t shape : shapes_[group].shapes) {
    if (IsGpu(shape)) {
      gpus += pools_.OpenPools(shape);
    } else {
      others = true;
    }
  }
  return gpus >= queue_.Key(group).device_count || !others;
}

Core::Impl::GangRoom Core::Impl::RoomOf(uint32_t group) const {
  GangRoom room;
  const bool gpus = GangOnGpus(group);
  for (const uint32_t shape : shapes_[group].shapes) {
    if (IsGpu(shape) != gpus) continue;
    room.open += pools_.OpenPools(shape);
    room.free += pools_.FreePools(shape);
    room.soon += pools_.SoonPools(shape);
  }
  return room;
}

bool Core::Impl::GangFits(uint32_t group, const Candidate& candidate) {
  uint32_t needed = queue_.Key(group).device_count;
  if (config_.bugs.partial_gang) --needed;
  if (RoomOf(group).free < needed) return false;
  if (!MayTakeReserved(group, candidate)) return false;
  Blocked& blocked = blocked_[group];
  // Enough are free, yet not such as fit: nothing changes that until places do.
  return blocked.refused_at_version != pools_.version();
}

std::vector<uint32_t> Core::Impl::ChooseSeats(uint32_t group, int64_t need_bytes) {
  const GroupKey& key = queue_.Key(group);
  const JobClass job_class = kinds_[key.kind].config.job_class;
  const bool gpus = GangOnGpus(group);
  uint32_t count = key.device_count;
  if (config_.bugs.partial_gang) --count;
  std::vector<uint32_t> pools = pools_.bays().Choose(
      count,
      [&](const BayFamily& family) {
        return family.job_class == job_class && family.gpu == gpus &&
               (family.kinds >> key.kind & 1);
      },
      [&](uint32_t pool) { return SeatFits(group, pool, need_bytes); });
  FewestWorkers(count, pools);
  return pools;
}

void Core::Impl::FewestWorkers(uint32_t count, std::vector<uint32_t>& pools) const {
  std::map<uint32_t, uint32_t> places;  // By worker.
  for (const uint32_t pool : pools) ++places[pools_[pool].worker];
  std::sort(pools.begin(), pools.end(), [&](uint32_t a, uint32_t b) {
    const uint32_t of_a = pools_[a].worker;
    const uint32_t of_b = pools_[b].worker;
    if (of_a == of_b) return a < b;
    if (places[of_a] != places[of_b]) return places[of_a] > places[of_b];
    return workers_[of_a].id < workers_[of_b].id;
  });
  if (pools.size() > count) pools.resize(count);
}

bool Core::Impl::GangPossible(const NewJob& job, Refusal& refusal) const {
  if (job.device_count <= 1) return true;
  // Workers may still be on their way back.
  if (now_.boot_us - first_boot_us_ < config_.lease_us || worker_names_.empty()) return true;
  const uint8_t kind = KindIndex(job.kind);
  const JobClass job_class = kinds_[kind].config.job_class;
  uint64_t most[2] = {};
  for (uint32_t shape = 0; shape < pools_.shapes(); ++shape) {
    const auto& name = pools_.Name(shape);
    if (name.job_class != job_class || (name.kinds >> kind & 1) == 0) continue;
    if (!DeviceMatches(job.device, devices_.Text(name.device))) continue;
    most[IsGpu(shape) ? 1 : 0] += pools_.PoolsOf(shape).size();
  }
  const uint64_t have = std::max(most[0], most[1]);
  if (have >= job.device_count) return true;
  const std::string asked = absl::StrCat(job.device_count);
  refusal = {
      .code = absl::StatusCode::kFailedPrecondition,
      .reason = "GANG_TOO_LARGE",
      .message = absl::StrCat("device_count is ", asked, ", but all attached workers have ", have,
                              " such devices (`", job.device, "`, kind ", kinds_[kind].config.name,
                              "); ask for fewer or attach more workers"),
      .metadata = {
          {"device_count", asked}, {"devices", absl::StrCat(have)}, {"device", job.device}}};
  return false;
}

// --- Dispatch ---

bool Core::Impl::DispatchGang(uint32_t group, uint32_t job, int level) {
  const std::vector<uint32_t> pools = ChooseSeats(group, NeedOf(rows_[job]));
  if (pools.empty()) {
    blocked_[group].refused_at_version = pools_.version();
    return false;
  }
  queue_.Remove(job, now_.wall_us);
  LiveAttempt seat;
  FillAttempt(job, level, seat);
  const uint32_t number = gangs_.Add();
  Gang& gang = gangs_[number];
  gang.job = job;
  for (const uint32_t pool : pools) AddSeat(number, seat, pool);
  rows_[job].attempt = gang.members[0].seats[0];
  rows_[job].reason = Reason::kAssigned;
  gang.rendezvous = NextRendezvous(attempts_[rows_[job].attempt].worker);
  CountDispatch(rows_[job].attempt);
  MarkStored(job);
  for (uint32_t member = 0; member < gang.members.size(); ++member) AssignMember(number, member);
  return true;
}

void Core::Impl::AddSeat(uint32_t number, const LiveAttempt& like, uint32_t pool) {
  Gang& gang = gangs_[number];
  const uint32_t worker = pools_[pool].worker;
  if (gang.members.empty() || gang.members.back().worker != workers_[worker].id) {
    gang.members.push_back({.worker = workers_[worker].id});
  }
  const uint32_t index = attempts_.Add();
  gang.members.back().seats.push_back(index);
  LiveAttempt& seat = attempts_[index];
  seat = like;
  seat.gang = number;
  seat.member = static_cast<uint32_t>(gang.members.size() - 1);
  seat.device = pools_[pool].device;
  Link(worker, index);
  pools_.Enter(pool, index);
  pools_.UsedModel(pool, rows_[like.job].model);
  ExpectEnd(index);
  ArmHeld(pool);
}

std::string Core::Impl::NextRendezvous(uint32_t worker) {
  const WorkerRow& first = workers_[worker];
  const uint32_t ports = std::max<uint32_t>(config_.rendezvous.ports, 1);
  const uint64_t port = config_.rendezvous.first_port + next_rendezvous_++ % ports;
  return absl::StrCat(first.host.empty() ? first.id : first.host, ":", port);
}

void Core::Impl::AssignMember(uint32_t number, uint32_t member) {
  const Gang& gang = gangs_[number];
  const std::vector<uint32_t>& seats = gang.members[member].seats;
  const LiveAttempt& lead = attempts_[seats[0]];
  Assign(lead, lead.worker);
  GangPlace& place = effects_->assignments.back().gang;
  place.members = static_cast<uint32_t>(gang.members.size());
  place.member = member;
  place.rendezvous = gang.rendezvous;
  for (uint32_t i = 0; i < gang.members.size(); ++i) {
    const auto size = static_cast<uint32_t>(gang.members[i].seats.size());
    place.size += size;
    if (i < member) place.rank += size;
  }
  for (const uint32_t seat : seats) {
    place.devices.push_back(devices_.Text(attempts_[seat].device));
  }
}

// --- Members ---

uint32_t Core::Impl::FindMember(uint32_t number, uint32_t worker) const {
  for (const GangMember& member : gangs_[number].members) {
    const LiveAttempt& lead = attempts_[member.seats[0]];
    if (!lead.over && lead.worker == worker) return member.seats[0];
  }
  return kNone;
}

bool Core::Impl::IsLead(uint32_t index) const {
  const LiveAttempt& attempt = attempts_[index];
  return attempt.gang == kNone || gangs_[attempt.gang].members[attempt.member].seats[0] == index;
}

void Core::Impl::BeginMember(uint32_t lead, int64_t start_us) {
  const uint32_t number = attempts_[lead].gang;
  Gang& gang = gangs_[number];
  for (const uint32_t index : gang.members[attempts_[lead].member].seats) {
    LiveAttempt& seat = attempts_[index];
    seat.start_us =
        std::clamp(start_us, seat.dispatch_us, std::max(seat.dispatch_us, now_.wall_us));
    seat.start_boot_us = seat.saved_boot_us = seat.progress_boot_us = now_.boot_us;
    pools_.Start(index);
    CountStart(seat);
    ExpectEnd(index);
    seat.recalled = false;
    if (!seat.cancelled) boot_timers_.Cancel(seat.timer);
  }
  if (++gang.started == gang.members.size()) BeginGang(number, attempts_[lead].start_us);
}

void Core::Impl::BeginGang(uint32_t number, int64_t start_us) {
  Gang& gang = gangs_[number];
  LiveJob& row = rows_[gang.job];
  JobCold& cold = Cold(gang.job);
  if (cold.start_us == 0) cold.start_us = start_us;
  cold.timings.dispatched_us = start_us - attempts_[row.attempt].dispatch_us;
  ArmGangTimeout(number);
  if (row.attempt != kNone) ProtectVictim(row.attempt);
  if (row.state == JobState::kQueued) SetState(gang.job, JobState::kRunning, Reason::kNone);
}

void Core::Impl::ArmGangTimeout(uint32_t number) {
  Gang& gang = gangs_[number];
  const int64_t due_us = EndDue(attempts_[rows_[gang.job].attempt]);
  if (due_us == kNever || gang.timer != kNone) return;
  gang.timer = boot_timers_.Add(due_us, {TimerKind::kGang, number});
}

void Core::Impl::OnGangTimer(uint32_t number) {
  Gang& gang = gangs_[number];
  gang.timer = kNone;
  const LiveJob& row = rows_[gang.job];
  if (row.ending == Ending::kStop || attempts_[row.attempt].preempted) {
    return SendCancel(row.attempt, /*checkpoint_first=*/false);
  }
  const Ending ending = EndNow(attempts_[row.attempt]);
  return ending == Ending::kNone ? ArmGangTimeout(number) : RequestEnd(gang.job, ending);
}

void Core::Impl::TakeMember(uint32_t lead, const Finished& report) {
  LiveAttempt& attempt = attempts_[lead];
  Outcome outcome = report.outcome;
  if (outcome == Outcome::kUnspecified || outcome == Outcome::kWorkerLost)
    outcome = Outcome::kFailed;
  if (!attempt.started && (report.start_us != 0 || outcome == Outcome::kSucceeded)) {
    BeginMember(lead, report.start_us);
  }
  const uint32_t job = attempt.job;
  int64_t& peak_bytes = attempts_[rows_[job].attempt].peak_bytes;
  peak_bytes = std::max(peak_bytes, report.memory_peak_bytes);
  if (attempt.member > 0) {
    for (const OutputArtifact& output : report.outputs) AddMemberOutput(lead, output);
  } else {
    AddOutputs(job, report.outputs);
    if (!report.device_name.empty()) attempt.device_name = devices_.Intern(report.device_name);
    JobCold& cold = Cold(job);
    cold.timings.prepared_us = std::max<int64_t>(0, report.prepared_us);
    cold.timings.run_us = std::max<int64_t>(0, report.run_us);
    cold.timings.stored_us =
        std::max<int64_t>(0, now_.wall_us - std::max(report.end_us, attempt.dispatch_us));
    cold.result = report.result;
    gangs_[attempt.gang].run_us =
        std::min(report.prepared_us + report.run_us, now_.boot_us - attempt.dispatch_boot_us);
  }
  MemberOver(lead, outcome, &report);
}

void Core::Impl::AddMemberOutput(uint32_t lead, OutputArtifact artifact) {
  const LiveAttempt& attempt = attempts_[lead];
  // Names of member 0 are those of an attempt on one device; the others' stand beside them.
  if (attempt.member > 0) absl::StrAppend(&artifact.name, ".member-", attempt.member);
  AddOutput(attempt.job, artifact);
}

void Core::Impl::MemberOver(uint32_t index, Outcome outcome, const Finished* report) {
  const uint32_t number = attempts_[index].gang;
  Gang& gang = gangs_[number];
  GangMember& member = gang.members[attempts_[index].member];
  const uint32_t job = gang.job;
  const bool noticed = attempts_[index].preempted;
  if (noticed && (outcome == Outcome::kReturned || outcome == Outcome::kCancelled))
    outcome = Outcome::kPreempted;
  member.outcome = outcome;
  for (const uint32_t seat : member.seats) LeaveSeat(seat);
  ++gang.ended;
  MarkStored(job);
  const bool first = outcome != Outcome::kSucceeded && gang.outcome == Outcome::kUnspecified;
  if (first) {
    gang.outcome = outcome;
    if (report != nullptr) gang.failure = std::make_unique<Finished>(*report);
  }
  if (gang.ended == gang.members.size()) return GangOver(number);
  // The rest cannot go on alone. One that was asked to checkpoint is given its time for that.
  const bool asked = outcome == Outcome::kPreempted || rows_[job].ending != Ending::kNone;
  if (first && !asked) SendCancel(rows_[job].attempt, /*checkpoint_first=*/false);
}

void Core::Impl::LeaveSeat(uint32_t index) {
  LiveAttempt& seat = attempts_[index];
  CountLeave(seat);
  boot_timers_.Cancel(seat.timer);
  ForgetVictim(index);
  pools_.Leave(index);
  Unlink(index);
  seat.over = true;
}

void Core::Impl::GangOver(uint32_t number) {
  Gang& gang = gangs_[number];
  const uint32_t job = gang.job;
  LiveJob& row = rows_[job];
  const bool started = gang.started == gang.members.size();
  const std::unique_ptr<Finished> failure = std::move(gang.failure);
  if (gang.outcome == Outcome::kUnspecified) {
    learned_.LearnRun(row.kind, row.model, gang.run_us);
    if (row.cold->batch_limit == 0)
      learned_.LearnPeak(row.workload, attempts_[row.attempt].peak_bytes);
    const bool stays_cancelled = row.ending != Ending::kNone && row.ending != Ending::kStop;
    EndAttempt(row.attempt, stays_cancelled ? Outcome::kCancelled : Outcome::kSucceeded);
    if (stays_cancelled) row.cold->result.clear();
    return row.ending != Ending::kNone ? EndAsRequested(job) : Succeed(job);
  }
  const Outcome outcome = gang.outcome;
  if (row.ending != Ending::kStop) row.cold->result.clear();
  EndAndFollow(row.attempt, outcome, started, failure.get());
}

void Core::Impl::DropGang(uint32_t number) {
  Gang& gang = gangs_[number];
  boot_timers_.Cancel(gang.timer);
  for (const GangMember& member : gang.members) {
    for (const uint32_t seat : member.seats) attempts_.Remove(seat);
  }
  gangs_.Remove(number);
}

std::vector<MemberImage> Core::Impl::DescribeMembers(uint32_t number) const {
  std::vector<MemberImage> members;
  for (const GangMember& member : gangs_[number].members) {
    MemberImage& image = members.emplace_back();
    image.worker = member.worker;
    image.outcome = member.outcome;
    for (const uint32_t seat : member.seats) {
      image.devices.push_back(devices_.Text(attempts_[seat].device));
    }
  }
  return members;
}

// --- Restoring ---

void Core::Impl::RestoreGang(LiveAttempt seat, const AttemptImage& image) {
  const uint32_t number = gangs_.Add();
  Gang& gang = gangs_[number];
  gang.job = seat.job;
  seat.gang = number;
  for (const MemberImage& stored : image.members) {
    GangMember& member = gang.members.emplace_back();
    member.worker = stored.worker;
    member.outcome = stored.outcome;
    seat.member = static_cast<uint32_t>(gang.members.size() - 1);
    seat.over = stored.outcome != Outcome::kUnspecified;
    for (const std::string& device : stored.devices) {
      const uint32_t index = attempts_.Add();
      attempts_[index] = seat;
      attempts_[index].device = devices_.Intern(device);
      member.seats.push_back(index);
      if (seat.over) continue;
      Link(WorkerNamed(stored.worker), index);
      if (seat.started) CountStart(seat);
    }
    if (seat.started) ++gang.started;
    if (seat.over) ++gang.ended;
    if (gang.outcome == Outcome::kUnspecified && stored.outcome != Outcome::kSucceeded) {
      gang.outcome = stored.outcome;
    }
  }
  rows_[seat.job].attempt = gang.members[0].seats[0];
  if (seat.started) ArmGangTimeout(number);
}

}  // namespace switchyard::scheduler
