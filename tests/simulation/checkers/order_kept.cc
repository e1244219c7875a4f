// Order kept: no attempt is handed out while a better-ranked job that fits the same place waits and
// has waited for longer than one window. What a worker holds it starts by rank, and what it holds
// too long is called back, so handing out is where order is made.
//
// What a better-ranked job may wait for beside the place: memory, when it needs more than the one
// handed out was granted there (where that fitted it would have fitted too), one ahead of it that
// needs more and about as much, and a gang for which the place is kept.
#include <set>

#include "absl/strings/str_cat.h"
#include "scheduler/policy/memory_need.h"
#include "scheduler/policy/ordering.h"
#include "scheduler/policy/placement.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

using scheduler::JobState;

constexpr int64_t kWindowUs = 50'000;
constexpr int64_t kAgeingIntervalUs = 300'000'000;
// The core looks at ageing this often, so a waiting job's level may be as old; wall clocks step
// meanwhile.
constexpr int64_t kClockStepsUs = 20'000'000;
constexpr int64_t kAgeingSlackUs = kAgeingIntervalUs / 16 + kClockStepsUs;

class OrderKept final : public Checker {
 public:
  OrderKept() : Checker("order_kept") {}

  // Assignments of a drain come before its changes: `waiting_` is then what waited when they were
  // decided.
  void OnAssigned(const Site& site, const scheduler::AssignAttempt& attempt,
                  int64_t wall_us) override {
    const auto chosen = waiting_.find(attempt.ref.job);
    if (chosen == waiting_.end()) return;  // Submitted in this very drain.
    assigned_.push_back({site, attempt.ref, chosen->second, attempt.memory_bytes, wall_us});
  }
  void OnChange(const JobImage& image, int64_t wall_us) override { Note(image, wall_us); }
  void OnRebuilt(const std::vector<StoredJob>& stored, int64_t wall_us) override {
    waiting_.clear();
    handed_out_.clear();
    for (const StoredJob& job : stored) Note(job.image, wall_us);
  }
  void OnDeleted(JobId job) override { waiting_.erase(job); }

  void OnDrainEnd() override {
    for (const Assigned& assigned : assigned_) Check(assigned);
    assigned_.clear();
  }

 private:
  struct Waiting {
    uint16_t kind;
    uint8_t priority;
    std::string device;
    int64_t create_us;
    int64_t due_us;       // When it could be handed out first.
    int64_t eligible_us;  // From when its waiting counts.
    int64_t since_us;     // When it was seen to wait.
    bool gang;            // Needs more than the one place that is free.
    int64_t asked_bytes;  // Of memory: stated, or raised since; 0: neither.
    std::string shape;
    scheduler::ArrayMembership array;
  };

  struct Assigned {
    Site site;
    AttemptRef ref;
    Waiting job;
    int64_t granted_bytes;
    int64_t wall_us;
  };

  void Check(const Assigned& assigned) {
    Look();
    Waiting job = assigned.job;
    job.priority = priorities_[assigned.ref.job];  // It may have been changed in this very drain.
    const int64_t wall_us = assigned.wall_us;
    const int level = Level(job, wall_us - job.create_us + kAgeingSlackUs);
    for (const auto& [id, other] : waiting_) {
      // It may have to wait for more than the one place that is free.
      if (other.gang || MostNeeded(other) > assigned.granted_bytes) continue;
      if (ArrayIsFull(other.array)) continue;
      if (other.kind != job.kind || !scheduler::DeviceMatches(other.device, assigned.site.device))
        continue;
      if (other.eligible_us > wall_us - kWindowUs || other.since_us > wall_us - kWindowUs) continue;
      if (Level(other, wall_us - other.eligible_us - kAgeingSlackUs) >= level) continue;
      if (StandsBehindLarger(other, assigned.granted_bytes, wall_us)) continue;
      if (KeptForGang(other, assigned.site.device, wall_us)) continue;
      Violated(absl::StrCat(Describe(assigned.ref), " was handed to ", assigned.site.worker,
                            " while ", FormatJobId(id), " waited, which is more urgent: priority ",
                            other.priority, " against ", job.priority, ", ",
                            wall_us - other.eligible_us, " us eligible, ", wall_us - other.since_us,
                            " us seen, device ", other.device));
      return;
    }
  }

  // Most that the job can be taken to need: unless it asks for a sum itself that is what its like
  // ever held, of which the scheduler may have forgotten some.
  int64_t MostNeeded(const Waiting& job) const {
    if (job.asked_bytes > 0) return job.asked_bytes;
    const auto peak = peaks_.find({job.kind, job.shape});
    return peak == peaks_.end() ? 0 : scheduler::NeedFromPeaks({peak->second});
  }

  // Jobs whose needs are within one step stand in one line: whether one that needs more than
  // `bytes` comes no later than this job.
  bool StandsBehindLarger(const Waiting& job, int64_t bytes, int64_t wall_us) const {
    const uint8_t step = scheduler::MemoryStep(MostNeeded(job));
    const int level = Level(job, wall_us - job.eligible_us - kAgeingSlackUs);
    for (const auto& [id, other] : waiting_) {
      if (other.gang || other.kind != job.kind || other.device != job.device) continue;
      const int64_t needed = MostNeeded(other);
      if (needed <= bytes || scheduler::MemoryStep(needed) != step) continue;
      if (Level(other, wall_us - other.create_us + kAgeingSlackUs) <= level) return true;
    }
    return false;
  }

  // Whether as many of it are handed out as its width allows.
  bool ArrayIsFull(const scheduler::ArrayMembership& array) const {
    const auto found = handed_out_.find(array.id);
    return found != handed_out_.end() && found->second.size() >= array.width;
  }

  // Whether what is free may be kept for a gang that comes no later than this job: then shorter
  // work passes it.
  bool KeptForGang(const Waiting& job, const std::string& device, int64_t wall_us) const {
    const int level = Level(job, wall_us - job.eligible_us - kAgeingSlackUs);
    for (const auto& [id, other] : waiting_) {
      if (!other.gang || other.kind != job.kind) continue;
      // One that is not due yet has nothing kept; the clock may have been set back since it was.
      if (other.due_us > wall_us + kClockStepsUs) continue;
      if (!scheduler::DeviceMatches(other.device, device)) continue;
      if (Level(other, wall_us - other.create_us + kAgeingSlackUs) <= level) return true;
    }
    return false;
  }

  static int Level(const Waiting& job, int64_t waited_us) {
    return scheduler::EffectivePriority(job.priority, waited_us, kAgeingIntervalUs);
  }

  void Note(const JobImage& image, int64_t wall_us) {
    priorities_[image.id] = image.priority;
    for (const scheduler::AttemptImage& attempt : image.attempts) {
      int64_t& peak = peaks_[{image.kind, image.shape}];
      peak = std::max(peak, attempt.memory_peak_bytes);
    }
    const bool handed_out = !image.attempts.empty() &&
                            image.attempts.back().outcome == scheduler::Outcome::kUnspecified;
    if (image.array.id != 0) {
      auto& of_array = handed_out_[image.array.id];
      handed_out ? (void)of_array.insert(image.id) : (void)of_array.erase(image.id);
    }
    if (image.state != JobState::kQueued || handed_out) {
      waiting_.erase(image.id);
      return;
    }
    const int64_t due_us = std::max({image.create_us, image.not_before_us, image.retry_us});
    int64_t eligible_us = due_us;
    // One that gave its devices up ages anew.
    const bool preempted =
        !image.attempts.empty() && image.attempts.back().outcome == scheduler::Outcome::kPreempted;
    if (preempted) eligible_us = std::max(eligible_us, image.attempts.back().end_us);
    Waiting& job = waiting_[image.id];
    const int64_t since_us = job.since_us != 0 ? job.since_us : wall_us;
    const int64_t asked_bytes =
        image.memory_raised_bytes > 0 ? image.memory_raised_bytes : image.memory_bytes;
    job = {image.kind,  image.priority, image.device, image.create_us,
           due_us,      eligible_us,    since_us,     image.device_count > 1,
           asked_bytes, image.shape,    image.array};
  }

  std::map<JobId, Waiting> waiting_;
  std::map<JobId, std::set<JobId>> handed_out_;  // Jobs by array.
  std::map<JobId, uint8_t> priorities_;
  std::map<std::pair<uint16_t, std::string>, int64_t> peaks_;  // Of memory, by kind and shape.
  std::vector<Assigned> assigned_;                             // In the drain that is being told.
};

}  // namespace

std::unique_ptr<Checker> MakeOrderKept() { return std::make_unique<OrderKept>(); }

}  // namespace switchyard::simulation
