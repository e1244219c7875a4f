// Why a job waits, with the numbers.
//
// The expected start follows each fitting place's slots: when what runs there should end by its
// expected run time, then what is assigned there, then the jobs before this one, each on the slot
// that is free first. What nobody knows the length of leaves its slot free at no known time.
#include "scheduler/core/explain.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/memory_need.h"
#include "scheduler/policy/patience.h"
#include "scheduler/policy/quota.h"

namespace switchyard::scheduler {
namespace {

// Places and attempts looked at, some 0.2 us each.
constexpr size_t kMostPools = 2048;
constexpr int kMostAttempts = 16'384;
// Slots of one place that are told apart.
constexpr uint32_t kMostSlots = 256;
// Jobs before this one that are followed one by one; the rest goes by the average.
constexpr uint64_t kMostFollowed = 4096;
constexpr size_t kMostNamed = 32;

// An attempt that has run longer than expected is given this share of it more, up to twice the
// expected time; then nobody knows.
constexpr int64_t kOverdueShare = 10;

int64_t ExpectedEnd(int64_t now_us, int64_t elapsed_us, int64_t expected_us) {
  if (expected_us == 0 || elapsed_us > 2 * expected_us) return kNever;
  return now_us + std::max(expected_us - elapsed_us, expected_us / kOverdueShare);
}

int64_t After(int64_t when_us, int64_t run_us) {
  return when_us == kNever || run_us == 0 ? kNever : when_us + run_us;
}

// A heap whose front is the earliest.
class Earliest {
 public:
  explicit Earliest(std::vector<int64_t> times) : times_(std::move(times)) {
    std::make_heap(times_.begin(), times_.end(), std::greater<>());
  }
  bool empty() const { return times_.empty(); }
  int64_t front() const { return times_.front(); }
  // The earliest slot is taken until `end_us`.
  void Take(int64_t end_us) {
    std::pop_heap(times_.begin(), times_.end(), std::greater<>());
    times_.back() = end_us;
    std::push_heap(times_.begin(), times_.end(), std::greater<>());
  }
  const std::vector<int64_t>& times() const { return times_; }

 private:
  std::vector<int64_t> times_;
};

}  // namespace

// When the fitting places have room.
struct Core::Impl::Rooms {
  std::vector<int64_t> slots;  // Wall clock.
  uint64_t pools = 0;          // Fitting ones.
  uint64_t looked_at = 0;
  int budget = kMostAttempts;
};

bool Core::Impl::Explain(JobId id, const Now& now, Explanation& explanation) {
  now_ = now;
  const uint32_t job = Find(id);
  if (job == kNone) return false;
  const LiveJob& row = rows_[job];
  explanation.job = id;
  explanation.state = row.state;
  explanation.kind = kinds_[row.kind].config.number;
  explanation.device = devices_.Text(row.device);
  explanation.device_count = row.device_count;
  explanation.expected_run_us = learned_.ExpectedRun(row.kind, row.model);
  if (row.state != JobState::kQueued) {
    explanation.reason = row.reason;
    if (row.state == JobState::kBlocked) ListUpstream(row, explanation);
    return true;
  }
  ExplainNeed(row, explanation);
  explanation.reason = WaitingReason(row);
  if (row.attempt != kNone) {
    ExplainAssigned(row, explanation);
  } else if (row.waits == Waits::kNot) {
    explanation.basis = StartBasis::kNotYet;
    if (row.cold != nullptr)
      explanation.until_us = std::max(row.cold->not_before_us, row.cold->retry_us);
  } else {
    ExplainWaiting(job, explanation);
  }
  return true;
}

void Core::Impl::ExplainNew(const std::string& tenant, const NewJob& job, const Now& now,
                            Explanation& explanation) {
  now_ = now;
  LiveJob row;
  row.kind = KindIndex(job.kind);
  row.device = static_cast<uint16_t>(devices_.Intern(job.device));
  row.model = models_.Intern(job.model_key);
  row.priority = job.priority;
  row.device_count = std::max<uint16_t>(job.device_count, 1);
  row.workload = learned_.Workload(row.kind, row.model, work_shapes_.Intern(job.shape));
  if (job.memory_bytes != 0) {
    row.cold = std::make_unique<JobCold>();
    row.cold->memory_bytes = job.memory_bytes;
  }
  ExplainNeed(row, explanation);
  row.memory_step = MemoryStep(explanation.memory_need_bytes);
  row.patience = PatienceStep(job.timeout_us != 0 ? job.timeout_us
                                                  : kinds_[row.kind].config.default_timeout_us);
  explanation.state = JobState::kQueued;
  explanation.kind = job.kind;
  explanation.device = job.device;
  explanation.device_count = row.device_count;
  explanation.expected_run_us = learned_.ExpectedRun(row.kind, row.model);
  if (job.not_before_us > now.wall_us) {
    explanation.reason = Reason::kNotBefore;
    explanation.until_us = job.not_before_us;
    explanation.basis = StartBasis::kNotYet;
    return;
  }
  const uint32_t group = queue_.GroupNumber(GroupKeyOf(row));
  Rooms rooms;
  ExplainPlaces(group, rooms, explanation);
  const Standing standing =
      queue_.StandingOfNew(accounts_.TenantNumber(tenant), group, job.priority,
                           [&](uint32_t other) { return LookAtGroup(other, group); });
  ExplainStart(standing, rooms, explanation);
  if (explanation.basis == StartBasis::kNoPlace) {
    explanation.reason = Reason::kNoDevice;
  } else if (explanation.basis != StartBasis::kRoomNow) {
    const bool memory =
        std::any_of(explanation.places.begin(), explanation.places.end(),
                    [](const ExplainedPlace& place) { return place.reason == Reason::kMemory; });
    explanation.reason = memory ? Reason::kMemory : Reason::kLimit;
  }
}

// Before the places are looked at: it decides which of them have room.
void Core::Impl::ExplainNeed(const LiveJob& row, Explanation& explanation) const {
  explanation.memory_need_bytes = NeedOf(row);
  const JobCold* cold = row.cold.get();
  if (cold != nullptr && cold->memory_raised_bytes > 0) {
    explanation.memory_source = NeedSource::kLearned;
  } else if (cold != nullptr && cold->memory_bytes > 0) {
    explanation.memory_source = NeedSource::kStated;
  } else if (learned_.Need(row.workload) > 0) {
    explanation.memory_source = NeedSource::kLearned;
  } else if (explanation.memory_need_bytes > 0) {
    explanation.memory_source = NeedSource::kDefault;
  }
}

void Core::Impl::ExplainWaiting(uint32_t job, Explanation& explanation) {
  const LiveJob& row = rows_[job];
  const uint32_t group = queue_.GroupNumber(GroupKeyOf(row));
  Rooms rooms;
  ExplainPlaces(group, rooms, explanation);
  const Standing standing =
      queue_.StandingOf(job, [&](uint32_t other) { return LookAtGroup(other, group); });
  ExplainStart(standing, rooms, explanation);
  ExplainHold(row, explanation);
}

void Core::Impl::ExplainQuota(const Tenant& tenant, Explanation& explanation) const {
  const TenantSettings& settings = tenant.settings;
  if (settings.max_running != 0) {
    explanation.counts.push_back({"tenant.max_running", settings.name,
                                  static_cast<double>(tenant.devices),
                                  static_cast<double>(settings.max_running)});
  }
  if (settings.device_seconds_per_day == 0) return;
  explanation.counts.push_back({"tenant.device_seconds_per_day", settings.name,
                                static_cast<double>(tenant.used_today_us / 1'000'000),
                                static_cast<double>(settings.device_seconds_per_day)});
  if (DayUsedUp(tenant.used_today_us, settings.device_seconds_per_day))
    explanation.until_us = charges_.NextTurn();
}

// The rules that hold it.
std::vector<PauseRule> Core::Impl::PausesOf(const LiveJob& row) const {
  std::vector<PauseRule> rules;
  const std::string& tenant = accounts_.TenantName(row.account);
  for (const PauseRule& rule : config_.live.pauses) {
    const bool ours = rule.tenant.empty() || rule.tenant == tenant;
    const bool kind = rule.kind == 0 || rule.kind == kinds_[row.kind].config.number;
    if (ours && kind) rules.push_back(rule);
  }
  return rules;
}

// A job that is held back has a place in the order, but no time can be told.
void Core::Impl::ExplainHold(const LiveJob& row, Explanation& explanation) const {
  const Account& account = accounts_[row.account];
  const Tenant& tenant = accounts_.tenant(account.tenant);
  const AccountKey& key = accounts_.key(account.key);
  switch (explanation.reason) {
    case Reason::kPaused:
      explanation.pauses = PausesOf(row);
      break;
    case Reason::kQuota:
      ExplainQuota(tenant, explanation);
      if (!OverLimit(tenant.devices, row.device_count, tenant.settings.max_running))
        explanation.cap_kept_for = tenant.kept.devices;
      break;
    case Reason::kUrgentShare:
      explanation.counts.push_back({"urgent_share", "percent",
                                    static_cast<double>(config_.urgent_share_percent),
                                    static_cast<double>(config_.urgent_share_percent)});
      break;
    case Reason::kKeyLimit:
      explanation.counts.push_back({"key.max_running", key.settings.id,
                                    static_cast<double>(key.devices),
                                    static_cast<double>(key.settings.max_running)});
      if (!OverLimit(key.devices, row.device_count, key.settings.max_running))
        explanation.cap_kept_for = key.kept.devices;
      break;
    case Reason::kArrayWidth:
      explanation.counts.push_back({"array.width", FormatJobId(account.array),
                                    static_cast<double>(account.running),
                                    static_cast<double>(account.width)});
      break;
    case Reason::kLimit:
    case Reason::kGang:
    case Reason::kPreempted:
      return;
    default:
      // Something else than room is missing, so room alone tells no time.
      if (explanation.basis != StartBasis::kRoomNow) return;
  }
  explanation.start_us = kNever;
  explanation.basis = StartBasis::kHeld;
}

Competitor Core::Impl::LookAtGroup(uint32_t group, uint32_t own) {
  RefreshShapes(group);
  const std::vector<uint32_t>& mine = shapes_[own].shapes;
  const std::vector<uint32_t>& theirs = shapes_[group].shapes;
  const bool competes =
      group == own || std::any_of(theirs.begin(), theirs.end(), [&](uint32_t shape) {
        return std::find(mine.begin(), mine.end(), shape) != mine.end();
      });
  return {competes, learned_.ExpectedRun(queue_.Key(group).kind, 0)};
}

void Core::Impl::ExplainPlaces(uint32_t group, Rooms& rooms, Explanation& explanation) {
  RefreshShapes(group);
  for (const uint32_t shape : shapes_[group].shapes) {
    for (const uint32_t pool : pools_.PoolsOf(shape)) {
      if (!pools_[pool].open) {
        NameClosed(pools_[pool], explanation);
        continue;
      }
      ++rooms.pools;
      if (rooms.looked_at == kMostPools || rooms.budget <= 0) continue;
      ++rooms.looked_at;
      LookAtPool(pool, rooms, explanation);
    }
  }
  explanation.places_total = static_cast<uint32_t>(rooms.pools);
  if (rooms.looked_at < rooms.pools) explanation.approximate = true;
  auto& places = explanation.places;
  const size_t told = std::min(places.size(), kPlacesExplained);
  std::partial_sort(places.begin(), places.begin() + static_cast<ptrdiff_t>(told), places.end(),
                    [](const ExplainedPlace& a, const ExplainedPlace& b) {
                      return std::tie(a.room_us, a.worker, a.device) <
                             std::tie(b.room_us, b.worker, b.device);
                    });
  places.resize(told);
  if (rooms.pools == 0) ListDevices(explanation);
}

// A worker that would fit and gets nothing new.
void Core::Impl::NameClosed(const Pool& pool, Explanation& explanation) const {
  const WorkerRow& worker = workers_[pool.worker];
  const bool named = !explanation.workers.empty() && explanation.workers.back() == worker.id;
  if (pool.closed_by == ClosedBy::kAway || named || explanation.workers.size() == kMostNamed)
    return;
  explanation.workers.push_back(worker.id);
}

void Core::Impl::LookAtPool(uint32_t number, Rooms& rooms, Explanation& explanation) const {
  const Pool& pool = pools_[number];
  ExplainedPlace& place = explanation.places.emplace_back();
  place.worker = workers_[pool.worker].id;
  place.device = devices_.Text(pool.device);
  place.running = pool.running;
  place.assigned = pool.outstanding - pool.running;
  place.limit = pool.limit;
  const bool known = pool.free_bytes != kMemoryUnknown;
  if (known) {
    place.memory_free_bytes = std::max<int64_t>(pool.free_bytes, 0);
    explanation.largest_free_bytes =
        std::max(explanation.largest_free_bytes, place.memory_free_bytes);
  }
  if (pool.outstanding >= pool.limit) {
    place.reason = Reason::kLimit;
  } else if (!PoolIndex::Grants(pool, explanation.memory_need_bytes)) {
    place.reason = Reason::kMemory;
  } else {
    ++explanation.devices_free;
  }
  int64_t none = kNever;
  std::vector<int64_t> slots = SlotsOf(number, kNone, none, rooms.budget);
  // Nobody knows when the memory for them will be free.
  if (place.reason == Reason::kMemory) std::fill(slots.begin(), slots.end(), kNever);
  if (!slots.empty()) place.room_us = *std::min_element(slots.begin(), slots.end());
  rooms.slots.insert(rooms.slots.end(), slots.begin(), slots.end());
}

// When each slot of a place is free for a new job; `starts_us` is when the attempt `held` starts.
std::vector<int64_t> Core::Impl::SlotsOf(uint32_t number, uint32_t held, int64_t& starts_us,
                                         int& budget) const {
  const Pool& pool = pools_[number];
  std::vector<int64_t> times;
  for (uint32_t i = workers_[pool.worker].attempts_head; i != kNone && budget > 0;
       i = attempts_[i].next_of_worker, --budget) {
    const LiveAttempt& attempt = attempts_[i];
    if (attempt.pool != number || !attempt.started || times.size() == kMostSlots) continue;
    times.push_back(
        ExpectedEnd(now_.wall_us, now_.boot_us - attempt.start_boot_us, attempt.expected_us));
  }
  while (times.size() < std::min(pool.limit, kMostSlots)) times.push_back(now_.wall_us);
  if (times.empty()) return times;
  Earliest slots(std::move(times));
  for (uint32_t i = pool.held_head; i != kNone && budget > 0;
       i = attempts_[i].next_held, --budget) {
    if (i == held) starts_us = slots.front();
    slots.Take(After(slots.front(), attempts_[i].expected_us));
  }
  return slots.times();
}

void Core::Impl::ExplainAssigned(const LiveJob& row, Explanation& explanation) {
  const LiveAttempt& attempt = attempts_[row.attempt];
  if (attempt.pool == kNone) return;
  Rooms rooms;
  LookAtPool(attempt.pool, rooms, explanation);
  explanation.places_total = 1;
  SlotsOf(attempt.pool, row.attempt, explanation.start_us, rooms.budget);
  explanation.basis =
      explanation.start_us == kNever ? StartBasis::kRunningUnknown : StartBasis::kRunTimes;
}

void Core::Impl::ExplainStart(const Standing& standing, const Rooms& rooms,
                              Explanation& explanation) const {
  explanation.position = standing.ahead + 1;
  explanation.competing = standing.competing;
  explanation.approximate |= standing.approximate;
  if (rooms.slots.empty()) {
    explanation.basis = rooms.pools == 0 ? StartBasis::kNoPlace : StartBasis::kHeld;
    return;
  }
  Earliest slots(rooms.slots);
  if (slots.front() == kNever) {
    explanation.basis = StartBasis::kRunningUnknown;
    return;
  }
  // The places that were not looked at take their part of the jobs before this one.
  const uint64_t ahead = standing.ahead * rooms.looked_at / std::max<uint64_t>(rooms.pools, 1);
  const uint64_t known = standing.ahead - standing.ahead_unknown;
  const int64_t mean_us = known == 0 ? 0 : standing.ahead_us / static_cast<int64_t>(known);
  const uint64_t unknown = std::min(standing.ahead_unknown, ahead);
  const uint64_t followed = std::min(ahead, kMostFollowed);
  for (uint64_t i = 0; i < followed && slots.front() != kNever; ++i)
    slots.Take(After(slots.front(), i < unknown ? 0 : mean_us));
  // A gang takes so many slots, and starts with the last of them.
  for (uint32_t i = 1; i < explanation.device_count && slots.front() != kNever; ++i)
    slots.Take(kNever);
  explanation.start_us = slots.front();
  if (explanation.start_us == kNever) {
    explanation.basis = unknown > 0 ? StartBasis::kAheadUnknown : StartBasis::kRunningUnknown;
    return;
  }
  if (ahead > followed) {
    const auto usable = static_cast<uint64_t>(std::count_if(
        slots.times().begin(), slots.times().end(), [](int64_t time) { return time != kNever; }));
    explanation.start_us += static_cast<int64_t>((ahead - followed) / usable) * mean_us;
    explanation.approximate = true;
  }
  explanation.basis =
      explanation.start_us <= now_.wall_us ? StartBasis::kRoomNow : StartBasis::kRunTimes;
}

void Core::Impl::ListUpstream(const LiveJob& row, Explanation& explanation) const {
  explanation.basis = StartBasis::kNotYet;
  if (row.cold == nullptr || row.cold->links == nullptr) return;
  int looked_at = 0;
  for (const JobRange& range : row.cold->links->depends_on) {
    for (uint32_t i = 0; i < range.count; ++i) {
      if (explanation.depends_on.size() == kMostNamed || ++looked_at > kMostAttempts) return;
      if (Find(range.first + i) != kNone) explanation.depends_on.push_back(range.first + i);
    }
  }
}

void Core::Impl::ListDevices(Explanation& explanation) const {
  for (const auto& [name, worker] : worker_names_) {
    if (workers_[worker].session == 0) continue;
    for (const WorkerDevice& device : workers_[worker].devices) {
      if (explanation.existing_devices.size() == kMostNamed) return;
      explanation.existing_devices.push_back(absl::StrCat(device.device, " (", name, ")"));
    }
  }
}

}  // namespace switchyard::scheduler
