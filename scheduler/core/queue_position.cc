// How many waiting jobs come before one. The order is only decided when places come free, so this
// counts as if nothing were added and nobody's settings changed.
//
// Exact where all that competes is one tenant's at one level; between tenants it follows their
// charges as they would grow, and in a long queue it goes by the ids, which are times.
#include <algorithm>

#include "scheduler/core/waiting_queue.h"
#include "scheduler/policy/fair_share.h"
#include "scheduler/policy/patience.h"

namespace switchyard::scheduler {
namespace {

// A walk of so many jobs takes about 0.1 ms.
constexpr int kMostWalked = 4096;
constexpr uint32_t kMostStreams = 8192;

// Later than every job that waits, and far from where ids end.
constexpr JobId kAfterAll = JobId{1} << 62;

// Share of `jobs` that are older than `id`, when they came evenly between `first` and `last`.
uint64_t ByTime(uint64_t jobs, JobId first, JobId id, JobId last) {
  if (id <= first || last <= first) return 0;
  if (id >= last) return jobs;
  const double share = static_cast<double>(id - first) / static_cast<double>(last - first);
  return static_cast<uint64_t>(static_cast<double>(jobs) * share);
}

}  // namespace

class WaitingQueue::Counter {
 public:
  // Whose place is asked: a job in a stream, or one that would come into it.
  struct Subject {
    JobId id;
    uint32_t tenant;
    uint32_t group;
    int level;
  };

  Counter(const WaitingQueue& queue, const Subject& subject,
          absl::FunctionRef<Competitor(uint32_t group)> look)
      : queue_(queue), own_(subject), look_(look) {}

  Standing Count() {
    own_guaranteed_ = Guaranteed(own_.tenant, own_.group);
    own_charge_ =
        ChargeFor(look_(own_.group).expected_us, Weight(own_.tenant), queue_.charges_.Growth());
    // Its own tenant first: how much that is charged until its turn decides about the others.
    ForEach([this](const Stream& stream, const Competitor& competitor) {
      if (TenantOf(stream) == own_.tenant) CountOwn(stream, competitor);
    });
    before_own_ = standing_.ahead;
    ForEach([this](const Stream& stream, const Competitor& competitor) {
      if (TenantOf(stream) != own_.tenant) CountOther(stream, competitor);
    });
    return standing_;
  }

 private:
  uint32_t Weight(uint32_t tenant) const { return queue_.accounts_.tenant(tenant).settings.weight; }

  uint32_t TenantOf(const Stream& stream) const { return queue_.accounts_[stream.account].tenant; }

  bool Guaranteed(uint32_t tenant, uint32_t group) const {
    return queue_.accounts_.Guaranteed(tenant, queue_.groups_[group].key.device_count);
  }

  template <typename Visit>
  void ForEach(Visit visit) {
    const uint32_t streams = queue_.streams_.size();
    if (streams > kMostStreams) standing_.approximate = true;
    for (uint32_t i = 0; i < std::min(streams, kMostStreams); ++i) {
      const Stream& stream = queue_.streams_[i];
      if (stream.level == 0) continue;
      if (const Competitor competitor = look_(stream.group); competitor.competes)
        visit(stream, competitor);
    }
  }

  void Add(uint64_t ahead, const Competitor& competitor) {
    standing_.ahead += ahead;
    standing_.ahead_us += static_cast<int64_t>(ahead) * competitor.expected_us;
    if (competitor.expected_us == 0) standing_.ahead_unknown += ahead;
  }

  // A tenant, key or array that may run no more lets others pass.
  bool Held(const Stream& stream) const {
    return queue_.Hold(queue_.rows_[queue_.Oldest(stream)]) != Reason::kNone;
  }

  void CountOwn(const Stream& stream, const Competitor& competitor) {
    standing_.competing += stream.jobs;
    if (stream.level == own_.level) {
      Add(OlderThan(stream, DueBefore(stream)), competitor);
    } else if (stream.level < own_.level) {
      // All are at least as urgent as its oldest only when none has aged.
      if (stream.level != stream.priority) standing_.approximate = true;
      Add(stream.jobs, competitor);
    }
  }

  void CountOther(const Stream& stream, const Competitor& competitor) {
    standing_.competing += stream.jobs;
    const bool guaranteed = Guaranteed(TenantOf(stream), stream.group);
    if (Held(stream) || guaranteed != own_guaranteed_) {
      standing_.approximate = true;
      if (!Held(stream) && guaranteed) Add(stream.jobs, competitor);
    } else if (stream.level < own_.level) {
      if (stream.level != stream.priority) standing_.approximate = true;
      Add(stream.jobs, competitor);
    } else if (stream.level == own_.level) {
      standing_.approximate = true;
      Add(TurnsBefore(stream, competitor), competitor);
    }
  }

  // Jobs of another tenant that go before ours has been charged so much that it is our turn.
  uint64_t TurnsBefore(const Stream& stream, const Competitor& competitor) const {
    const uint32_t other = TenantOf(stream);
    const uint64_t charge = queue_.accounts_.tenant(other).charge;
    const uint64_t ours = queue_.accounts_.tenant(own_.tenant).charge + before_own_ * own_charge_;
    const uint64_t step =
        ChargeFor(competitor.expected_us, Weight(other), queue_.charges_.Growth());
    // Jobs of no known length take turns.
    if (competitor.expected_us == 0) {
      return std::min<uint64_t>(stream.jobs, before_own_ + (charge <= ours ? 1 : 0));
    }
    if (ours < charge) return 0;
    return std::min<uint64_t>(stream.jobs, (ours - charge + step - 1) / step);
  }

  // Jobs of this stream with smaller ids are due before ours: all of a stream have one patience.
  JobId DueBefore(const Stream& stream) const {
    const uint64_t due = Due(own_.id, own_.group);
    return due - std::min(due, Due(0, stream.group));
  }
  uint64_t Due(JobId id, uint32_t group) const {
    return DueOrder(id, queue_.groups_[group].key.patience, queue_.patience_percent_);
  }

  uint64_t OlderThan(const Stream& stream, JobId id) {
    uint64_t early = 0;
    for (const auto& entry : stream.early) {
      if (entry.first >= id) break;
      if (++early == static_cast<uint64_t>(kMostWalked)) {
        standing_.approximate = true;
        break;
      }
    }
    return early + OlderInOrder(stream, id);
  }

  // From both ends: whichever meets `id` first knows.
  uint64_t OlderInOrder(const Stream& stream, JobId id) {
    if (stream.head == kNone) return 0;
    const uint64_t jobs = stream.jobs - stream.early.size();
    uint32_t front = stream.head;
    uint32_t back = stream.tail;
    for (uint64_t i = 0; i < static_cast<uint64_t>(kMostWalked); ++i) {
      if (front == kNone || queue_.rows_[front].id >= id) return i;
      if (back == kNone || queue_.rows_[back].id < id) return jobs - i;
      front = queue_.rows_[front].next;
      back = queue_.rows_[back].previous;
    }
    standing_.approximate = true;
    return ByTime(jobs, queue_.rows_[stream.head].id, id, queue_.rows_[stream.tail].id);
  }

  const WaitingQueue& queue_;
  const Subject own_;
  absl::FunctionRef<Competitor(uint32_t group)> look_;
  Standing standing_;
  bool own_guaranteed_ = false;
  uint64_t own_charge_ = 0;
  uint64_t before_own_ = 0;
};

Standing WaitingQueue::StandingOf(uint32_t job,
                                  absl::FunctionRef<Competitor(uint32_t group)> look) const {
  const LiveJob& row = rows_[job];
  const Stream& stream = streams_[row.stream];
  return Counter(*this, {InLine(row), accounts_[row.account].tenant, stream.group, stream.level},
                 look)
      .Count();
}

Standing WaitingQueue::StandingOfNew(uint32_t tenant, uint32_t group, uint8_t priority,
                                     absl::FunctionRef<Competitor(uint32_t group)> look) const {
  Standing standing = Counter(*this, {kAfterAll, tenant, group, priority}, look).Count();
  ++standing.competing;
  return standing;
}

}  // namespace switchyard::scheduler
