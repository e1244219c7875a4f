#include "scheduler/lead/leader_keeper.h"

#include <utility>

#include "common/log/log.h"

namespace switchyard::scheduler {
namespace {

// Shares of the lease: how often it is renewed, and how often a standby looks.
constexpr int kRenewalsPerLease = 6;
constexpr int kLooksPerLease = 12;
// The leader's own view of the lease ends this share of it early: clocks that differ in their rate
// by less do no harm.
constexpr int kMarginShare = 20;
// A standby whose looks were further apart than this many intervals was frozen, or the store was
// away.
constexpr int kLongestGap = 4;

constexpr absl::Duration kNoteInterval = absl::Seconds(1);
constexpr absl::Duration kNotedFor = absl::Minutes(1);

}  // namespace

LeaderKeeper::LeaderKeeper(LeaderOptions options, LeaseStore& store, Clock& clock,
                           std::function<void()> changed)
    : options_(std::move(options)), store_(store), clock_(clock), changed_(std::move(changed)) {}

Lead LeaderKeeper::Present() const {
  MutexLock lock(mutex_);
  return lead_;
}

SchedulersView LeaderKeeper::Schedulers() const {
  MutexLock lock(mutex_);
  return schedulers_;
}

bool LeaderKeeper::deposed() const {
  MutexLock lock(mutex_);
  return deposed_;
}

absl::Duration LeaderKeeper::Step() {
  const Lead lead = Present();
  if (lead.leads) {
    Renew(lead.term);
  } else {
    Follow();
  }
  Note();
  const bool leads = Present().leads;
  const bool in_time = leads && clock_.BootTime() < Present().until - options_.lease / 2;
  return options_.lease / (in_time ? kRenewalsPerLease : kLooksPerLease);
}

void LeaderKeeper::Renew(uint64_t term) {
  const absl::Duration sent = clock_.BootTime();
  const absl::Status renewed = store_.Renew(term);
  if (absl::IsFailedPrecondition(renewed)) return Lose(renewed);
  if (!renewed.ok()) {
    if (options_.log && clock_.BootTime() > Present().until) {
      LogWarning("the lead could not be renewed in time; nothing is granted until it is",
                 {{"error", renewed.ToString()}});
    }
    return;
  }
  bool again = false;
  {
    MutexLock lock(mutex_);
    again = clock_.BootTime() >= lead_.until;
    lead_.until = sent + options_.lease - options_.lease / kMarginShare;
  }
  // It was over, and nobody took it.
  if (again) changed_();
}

void LeaderKeeper::Lose(const absl::Status& why) {
  if (options_.log) LogWarning("lost the lead", {{"reason", why.ToString()}});
  {
    MutexLock lock(mutex_);
    lead_.leads = false;
    deposed_ = true;
  }
  seen_.reset();
  changed_();
}

void LeaderKeeper::Follow() {
  const absl::Duration before = clock_.BootTime();
  absl::StatusOr<LeaderLease> lease = store_.Read();
  const absl::Duration now = clock_.BootTime();
  const absl::Duration longest = options_.lease * kLongestGap / kLooksPerLease;
  if (!lease.ok()) {
    seen_.reset();
    return;
  }
  const bool same = seen_.has_value() && seen_->term == lease->term &&
                    seen_->renewal == lease->renewal && now - last_look_ <= longest &&
                    now - before <= longest;
  if (!same) unchanged_since_ = now;
  last_look_ = now;
  seen_ = *std::move(lease);
  if (seen_->term != 0) SetLeader(seen_->held ? seen_->holder : SchedulerIdentity(), seen_->term);
  if (MayTake(*seen_, now)) Take(*seen_);
}

// Its own lease it need not wait for: that was an earlier process, and the folder that it had to
// itself is ours now.
bool LeaderKeeper::MayTake(const LeaderLease& seen, absl::Duration now) {
  return !seen.held || seen.holder.id == options_.self.id ||
         now - unchanged_since_ >= options_.lease;
}

void LeaderKeeper::Take(const LeaderLease& seen) {
  const absl::Duration sent = clock_.BootTime();
  const absl::StatusOr<uint64_t> term = store_.Take(seen, options_.self);
  if (!term.ok()) {
    if (options_.log && !absl::IsAborted(term.status())) {
      LogWarning("cannot take the lead; trying again", {{"error", term.status().ToString()}});
    }
    return;
  }
  if (options_.log) {
    LogInfo("took the lead", {{"term", *term}, {"before", seen.held ? seen.holder.name : ""}});
  }
  {
    MutexLock lock(mutex_);
    lead_ = {.term = *term,
             .leads = true,
             .until = sent + options_.lease - options_.lease / kMarginShare};
    schedulers_.leader = options_.self;
  }
  changed_();
}

void LeaderKeeper::SetLeader(const SchedulerIdentity& leader, uint64_t term) {
  {
    MutexLock lock(mutex_);
    if (lead_.term == term && schedulers_.leader.id == leader.id) return;
    lead_.term = term;
    schedulers_.leader = leader;
  }
  changed_();
}

// What people are shown costs nothing else its time: it is as good as it gets.
void LeaderKeeper::Note() {
  if (clock_.BootTime() < next_note_) return;
  next_note_ = clock_.BootTime() + kNoteInterval;
  if (!Present().leads) {
    store_.Note(options_.self).IgnoreError();
    return;
  }
  absl::StatusOr<std::vector<StandbyRow>> standbys = store_.Noted(kNotedFor);
  if (!standbys.ok()) return;
  MutexLock lock(mutex_);
  schedulers_.standbys = *std::move(standbys);
}

void LeaderKeeper::GiveBack() {
  const Lead lead = Present();
  if (!lead.leads) return;
  {
    MutexLock lock(mutex_);
    lead_.leads = false;
  }
  store_.Release(lead.term).IgnoreError();
}

}  // namespace switchyard::scheduler
