#include <algorithm>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "scheduler/core/core.h"
#include "scheduler/trace/arrivals.h"
#include "scheduler/trace/run.h"
#include "scheduler/trace/simulated_workers.h"

namespace switchyard::scheduler {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
// Where the run's clocks stand when the trace begins: somewhen, not 0, which means unset.
constexpr int64_t kWallBeginUs = 1'700'000'000'000'000;
constexpr int64_t kBootBeginUs = 1'000'000;
// Workers do not fail here, so their heartbeats are not simulated.
constexpr int64_t kEndlessLeaseUs = kNever / 4;
// When jobs wait, nothing runs, nothing comes, and nothing has started for so long: they never
// will.
constexpr int64_t kStuckUs = int64_t{10} * 86'400'000'000;
constexpr uint64_t kDecisionsPerLook = 65'536;

CoreConfig ConfigFor(const Cluster& cluster) {
  CoreConfig config;
  config.kinds = cluster.kinds;
  config.limits = cluster.limits;
  for (const auto& [name, weight] : cluster.weights) {
    config.tenants.push_back({.name = name, .weight = weight});
  }
  config.lease_us = kEndlessLeaseUs;
  config.queue_capacity = config.tenant_queue_capacity = 100'000'000;
  return config;
}

class CoreRun {
 public:
  CoreRun(TraceSource& trace, const Cluster& cluster, const RunProbes& probes)
      : trace_(trace),
        cluster_(cluster),
        probes_(probes),
        arrivals_(trace, cluster, probes),
        workers_(cluster),
        meter_(cluster),
        core_(ConfigFor(cluster)) {}

  absl::StatusOr<RunResult> Run() {
    const int64_t begin_ns = Clock();
    SetNow(0);
    for (uint32_t worker = 0; worker < cluster_.workers; ++worker) {
      core_.Apply(workers_.Attach(worker), now_, effects_);
    }
    Settle();
    if (absl::Status status = arrivals_.Advance(); !status.ok()) return status;
    while (fault_.ok() && (!arrivals_.done() || !live_.empty())) {
      SetNow(NextEventUs());
      EndDue();
      if (absl::Status status = SubmitDue(); !status.ok()) return status;
      Settle();
      CheckProgress();
    }
    if (!fault_.ok()) return fault_;
    result_.run_s = (Clock() - begin_ns) / kNanosecondsPerSecond;
    result_.decision_s = core_ns_ / kNanosecondsPerSecond;
    meter_.Finish(trace_.tenants(), result_);
    return result_;
  }

 private:
  // A job that has arrived and not ended.
  struct Live {
    TraceJob job;
    int64_t done_us = 0;     // Of its duration, in earlier attempts, as far as it was kept.
    int64_t ran_us = 0;      // In earlier attempts, kept or not.
    int64_t start_us = -1;   // Of the running attempt; -1: none runs.
    int64_t restart_us = 0;  // What the running attempt, or the next, takes to be where it was.
  };
  struct End {
    int64_t at_us;
    AttemptRef ref;
    bool operator>(const End& other) const {
      return at_us != other.at_us ? at_us > other.at_us : ref > other.ref;
    }
  };

  int64_t Clock() const { return probes_.now_ns ? probes_.now_ns() : 0; }
  void SetNow(int64_t now_us) {
    now_us_ = now_us;
    now_ = {.wall_us = kWallBeginUs + now_us, .boot_us = kBootBeginUs + now_us};
  }

  int64_t NextEventUs() const {
    const Wakeup wakeup = core_.NextWakeup();
    int64_t next_us = std::min(arrivals_.next_us(), ends_.empty() ? kNever : ends_.top().at_us);
    next_us = std::min(next_us, wakeup.wall_us == kNever ? kNever : wakeup.wall_us - kWallBeginUs);
    next_us = std::min(next_us, wakeup.boot_us == kNever ? kNever : wakeup.boot_us - kBootBeginUs);
    return std::max(next_us, now_us_);
  }

  // Applies an event to the core, on its clock.
  void Tell(const Event& event) {
    const int64_t begin_ns = Clock();
    core_.Apply(event, now_, effects_);
    core_ns_ += Clock() - begin_ns;
  }

  void EndDue() {
    while (!ends_.empty() && ends_.top().at_us <= now_us_) {
      const AttemptRef ref = ends_.top().ref;
      ends_.pop();
      if (!workers_.Runs(ref)) continue;  // It was cancelled or taken back.
      Live& live = live_.find(ref.job)->second;
      const std::vector<uint64_t> sessions = workers_.Finish(ref, news_);
      StopRunning(live, /*kept=*/true);
      Finished finished;
      finished.outcome = live.job.fails ? Outcome::kFailed : Outcome::kSucceeded;
      finished.permanent = live.job.fails;
      finished.end_us = now_.wall_us;
      finished.run_us = live.job.duration_us;
      finished.memory_peak_bytes = live.job.memory_bytes;
      Report(sessions, ref, finished);
    }
  }

  // `kept`: the next attempt goes on from here.
  void StopRunning(Live& live, bool kept) {
    live.ran_us += now_us_ - live.start_us;
    if (kept) live.done_us += std::max<int64_t>(0, now_us_ - live.start_us - live.restart_us);
    live.start_us = -1;
    meter_.Stopped(live.job, now_us_);
  }

  template <class What>
  void Report(const std::vector<uint64_t>& sessions, const AttemptRef& ref, const What& what) {
    for (const uint64_t session : sessions) {
      WorkerReports reports{.session = session};
      reports.reports.push_back({ref, what});
      Tell(std::move(reports));
    }
  }

  absl::Status SubmitDue() {
    while (!arrivals_.done() && arrivals_.next_us() <= now_us_) {
      const TraceJob& job = arrivals_.job();
      SubmitJobs submit{.tag = arrivals_.taken(), .tenant = arrivals_.tenant()};
      NewJob& added = submit.jobs.emplace_back();
      added.kind = arrivals_.Kind(job).number;
      added.priority = job.priority;
      added.timeout_us = job.timeout_us;
      added.device_count = static_cast<uint16_t>(job.devices);
      added.memory_bytes = job.memory_bytes;
      if (job.model != 0) added.model_key = absl::StrCat("m", job.model);
      meter_.Arrived(job, arrivals_.tenant(), arrivals_.Kind(job).job_class);
      Tell(std::move(submit));
      const Reply& reply = effects_.replies.back();
      if (!reply.ok()) {
        return absl::InternalError(absl::StrCat("the core refused job ", arrivals_.taken(),
                                                " of the trace: ", reply.refusal.message));
      }
      live_.emplace(reply.job, Live{job});
      if (absl::Status status = arrivals_.Advance(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Until neither the core nor a worker has anything more to say at this moment.
  void Settle() {
    do {
      TellNews();
      const int64_t begin_ns = Clock();
      core_.Advance(now_, effects_);
      core_.TakeChanges([this](const Change& change) { OnChange(*change.image); });
      core_ns_ += Clock() - begin_ns;
      Perform();
    } while (fault_.ok() && (!news_.empty() || core_.NextWakeup().boot_us <= now_.boot_us));
  }

  void TellNews() {
    const std::vector<WorkerNews> news = std::exchange(news_, {});
    for (const WorkerNews& one : news) {
      const auto found = live_.find(one.ref.job);
      if (found == live_.end()) continue;
      Live& live = found->second;
      if (one.kind == WorkerNews::kStarted) {
        if (!workers_.Runs(one.ref)) continue;
        live.start_us = now_us_;
        meter_.Started(live.job, now_us_);
        const int64_t left_us = live.restart_us + live.job.duration_us - live.done_us;
        ends_.push({now_us_ + std::max<int64_t>(1, left_us), one.ref});
        Report(one.sessions, one.ref, Started{.time_us = now_.wall_us});
      } else {
        TellOver(one, live);
      }
    }
  }

  // An attempt is over before its work was done.
  void TellOver(const WorkerNews& one, Live& live) {
    const bool preempted = one.kind == WorkerNews::kPreempted;
    result_.preemptions += preempted ? 1 : 0;
    // Asked by a notice it makes a checkpoint, if its kind can.
    if (live.start_us >= 0) StopRunning(live, preempted && arrivals_.Kind(live.job).checkpoints);
    if (preempted) live.restart_us = cluster_.restart_us;
    if (one.kind == WorkerNews::kCancelled) {
      Report(one.sessions, one.ref, Finished{.outcome = Outcome::kCancelled});
    } else {
      Report(one.sessions, one.ref, Returned{});
    }
  }

  void OnChange(const JobImage& image) {
    if (!HasEnded(image.state)) return;
    const auto found = live_.find(image.id);
    if (found == live_.end()) return;
    const Live& live = found->second;
    meter_.Ended(live.job, live.ran_us, now_us_);
    result_.timed_out += image.reason == Reason::kTimedOut ? 1 : 0;
    result_.failed += image.reason == Reason::kWorkFailed ? 1 : 0;
    live_.erase(found);
  }

  void Perform() {
    for (const AssignAttempt& assignment : effects_.assignments) {
      absl::Status status = CheckDevices(assignment);
      if (status.ok()) status = workers_.Assign(assignment, news_);
      if (!status.ok()) fault_ = std::move(status);
      if (assignment.gang.member > 0) continue;
      if (++result_.decisions % kDecisionsPerLook == 0) LookAtMemory();
    }
    if (!effects_.assignments.empty()) last_progress_us_ = now_us_;
    for (const CancelAttempt& cancel : effects_.cancels) workers_.Cancel(cancel, news_);
    for (const SessionRef& recall : effects_.recalls) workers_.Recall(recall.ref, news_);
    effects_.Clear();
  }

  absl::Status CheckDevices(const AssignAttempt& assignment) const {
    const uint32_t given = std::max<uint32_t>(1, assignment.gang.size);
    const uint32_t wanted = live_.find(assignment.ref.job)->second.job.devices;
    if (given == wanted) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("the core gave job ", FormatJobId(assignment.ref.job),
                                            " ", given, " devices; it needs ", wanted));
  }

  void LookAtMemory() {
    if (probes_.resident_bytes) {
      result_.peak_bytes = std::max(result_.peak_bytes, probes_.resident_bytes());
    }
  }

  void CheckProgress() {
    if (!arrivals_.done() || !ends_.empty() || live_.empty()) last_progress_us_ = now_us_;
    if (now_us_ - last_progress_us_ < kStuckUs) return;
    fault_ = absl::InternalError(absl::StrCat(
        live_.size(), " jobs wait, nothing runs and nothing is handed out: the core is stuck"));
  }

  TraceSource& trace_;
  const Cluster& cluster_;
  const RunProbes& probes_;
  Arrivals arrivals_;
  SimulatedWorkers workers_;
  RunMeter meter_;
  RunResult result_{.policy = "ours"};
  Core core_;
  Effects effects_;
  std::vector<WorkerNews> news_;
  // Looked up only, never iterated: its order is random.
  absl::flat_hash_map<JobId, Live> live_;
  std::priority_queue<End, std::vector<End>, std::greater<End>> ends_;
  Now now_;
  int64_t now_us_ = 0;
  int64_t last_progress_us_ = 0;
  int64_t core_ns_ = 0;
  absl::Status fault_;
};

}  // namespace

absl::StatusOr<RunResult> RunCore(TraceSource& trace, const Cluster& cluster,
                                  const RunProbes& probes) {
  return CoreRun(trace, cluster, probes).Run();
}

}  // namespace switchyard::scheduler
