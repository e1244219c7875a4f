// Memory of devices: what attempts need, what serving runners may take, and what follows when an
// attempt runs out.
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "scheduler/core/core_impl.h"
#include "scheduler/policy/memory_need.h"
#include "scheduler/policy/out_of_memory.h"
#include "scheduler/policy/placement.h"
#include "scheduler/policy/serving_budget.h"

namespace switchyard::scheduler {
namespace {

// Devices looked at for one eviction, and listed in a message.
constexpr size_t kEvictionLooks = 64;
constexpr size_t kDevicesListed = 8;
// A group that waits for memory asks so often at most.
constexpr int64_t kAskIntervalUs = 100'000;
constexpr int kResourceExhausted = 8;

}  // namespace

std::string MemoryText(int64_t bytes) {
  if (bytes == kMemoryUnknown) return "an unknown amount";
  return absl::StrFormat("%.1f GiB", static_cast<double>(bytes) / (int64_t{1} << 30));
}

int64_t Core::Impl::StatedOrLearned(const LiveJob& row) const {
  const KindConfig& kind = kinds_[row.kind].config;
  if (kind.job_class == JobClass::kGeneral) return 0;
  return GrantFor({.raised_bytes = row.cold == nullptr ? 0 : row.cold->memory_raised_bytes,
                   .stated_bytes = row.cold == nullptr ? 0 : row.cold->memory_bytes,
                   .learned_bytes = Possible(row, learned_.Need(row.workload)),
                   .default_bytes = Possible(row, kind.default_memory_bytes)});
}

int64_t Core::Impl::Possible(const LiveJob& row, int64_t need_bytes) const {
  if (need_bytes <= 0 || need_bytes <= pools_.LeastCapacity()) return need_bytes;
  const int64_t largest = LargestFor(row);
  return largest > 0 ? std::min(need_bytes, largest) : need_bytes;
}

bool Core::Impl::Regroup(uint32_t job) {
  LiveJob& row = rows_[job];
  const uint8_t step = MemoryStep(NeedOf(row));
  if (step == row.memory_step) return false;
  queue_.Remove(job, now_.wall_us);
  row.memory_step = step;
  queue_.Push(job, now_.wall_us);
  return true;
}

// --- What fits at all ---

int64_t Core::Impl::LargestDevice(uint8_t kind, const std::string& request) const {
  const JobClass job_class = kinds_[kind].config.job_class;
  int64_t largest = -1;
  for (uint32_t shape = 0; shape < pools_.shapes(); ++shape) {
    const auto& name = pools_.Name(shape);
    if (name.job_class != job_class || (name.kinds >> kind & 1) == 0) continue;
    if (pools_.PoolsOf(shape).empty() || !DeviceMatches(request, devices_.Text(name.device)))
      continue;
    largest = std::max(largest, pools_.Capacity(shape));
  }
  return largest;
}

int64_t Core::Impl::LargestFor(const LiveJob& row) const {
  const int64_t largest = LargestDevice(row.kind, devices_.Text(row.device));
  if (row.device_count == 1 || largest < 0) return largest;
  const JobClass job_class = kinds_[row.kind].config.job_class;
  std::map<int64_t, uint32_t, std::greater<>> sorts[2];
  for (uint32_t shape = 0; shape < pools_.shapes(); ++shape) {
    const auto& name = pools_.Name(shape);
    if (name.job_class != job_class || (name.kinds >> row.kind & 1) == 0) continue;
    if (!DeviceMatches(devices_.Text(row.device), devices_.Text(name.device))) continue;
    for (const auto& [bytes, count] : pools_.Capacities(shape)) sorts[name.gpu][bytes] += count;
  }
  int64_t most = -1;  // Fewer devices than it needs are known: nothing can be said.
  for (const auto& capacities : sorts) {
    uint32_t devices = 0;
    for (const auto& [bytes, count] : capacities) {
      devices += count;
      if (devices < row.device_count) continue;
      most = std::max(most, bytes);
      break;
    }
  }
  return most;
}

bool Core::Impl::MemoryExists(const NewJob& job, Refusal& refusal) const {
  const uint8_t kind = KindIndex(job.kind);
  if (job.memory_bytes <= 0 || kinds_[kind].config.job_class == JobClass::kGeneral) return true;
  const int64_t largest = LargestDevice(kind, job.device);
  if (largest < 0 || job.memory_bytes <= largest) return true;  // Or nobody attached yet.
  refusal = {.code = absl::StatusCode::kFailedPrecondition,
             .reason = "NO_SUCH_MEMORY",
             .message = absl::StrCat("the job needs ", MemoryText(job.memory_bytes),
                                     " on a device; the largest that fits it, ",
                                     NameLargest(kind, job.device, largest), ", can give it ",
                                     MemoryText(largest), "; lower `memory_bytes`"),
             .metadata = {{"memory_bytes", absl::StrCat(job.memory_bytes)},
                          {"largest_bytes", absl::StrCat(largest)}}};
  return false;
}

std::string Core::Impl::NameLargest(uint8_t kind, const std::string& request,
                                    int64_t largest) const {
  for (uint32_t shape = 0; shape < pools_.shapes(); ++shape) {
    const auto& name = pools_.Name(shape);
    if (name.job_class != kinds_[kind].config.job_class || (name.kinds >> kind & 1) == 0) continue;
    if (!DeviceMatches(request, devices_.Text(name.device))) continue;
    for (const uint32_t pool : pools_.PoolsOf(shape)) {
      if (pools_[pool].capacity_bytes < largest) continue;
      return absl::StrCat(devices_.Text(name.device), " of ", workers_[pools_[pool].worker].id);
    }
  }
  return "none";
}

bool Core::Impl::EndTooLarge(uint32_t group, Candidate& best) {
  Blocked& blocked = blocked_[group];
  do {
    const LiveJob& row = rows_[best.job];
    const int64_t need_bytes = row.memory_step == 0 ? 0 : NeedOf(row);
    if (need_bytes <= pools_.LeastCapacity()) break;
    const int64_t largest = LargestFor(row);
    if (!TooLargeForAll({need_bytes, largest})) break;
    if (blocked.too_large_us == 0) blocked.too_large_us = now_.boot_us;
    const int64_t due_us = blocked.too_large_us + config_.memory_patience_us;
    if (now_.boot_us < due_us) {
      recall_at_us_ = std::min(recall_at_us_, due_us);
      return true;
    }
    EndJob(best.job, JobState::kFailed, Reason::kOutOfMemory, TooLargeMessage(row, largest),
           kResourceExhausted);
  } while (queue_.Best(group, best));
  blocked.too_large_us = 0;
  return queue_.Best(group, best);
}

std::string Core::Impl::TooLargeMessage(const LiveJob& row, int64_t largest) const {
  const std::string several =
      row.device_count > 1 ? absl::StrCat("each of ", row.device_count, " devices") : "a device";
  return absl::StrCat("needs ", MemoryText(NeedOf(row)), " on ", several,
                      "; the largest that fits it, ",
                      NameLargest(row.kind, devices_.Text(row.device), largest), ", can give it ",
                      MemoryText(largest), ", and no larger one came in ",
                      absl::FormatDuration(absl::Microseconds(config_.memory_patience_us)),
                      "; lower `memory_bytes`, or attach a larger device and retry it");
}

// --- Ledgers of a worker's devices ---

void Core::Impl::OpenMemory(uint32_t number, const WorkerAttached& event) {
  WorkerRow& worker = workers_[number];
  const HostFigures& host = event.host_figures;
  const bool has_cpu = std::any_of(worker.devices.begin(), worker.devices.end(),
                                   [](const WorkerDevice& one) { return one.device == "cpu"; });
  NoteLedgerUser(worker.id, has_cpu ? host.ledger_id : "");
  for (const WorkerDevice& device : worker.devices) {
    const bool shared = !host.ledger_id.empty() && device.device == "cpu";
    DeviceMemory& memory = worker.memory.emplace_back();
    memory.ledger =
        pools_.ledgers().Open(shared ? host.ledger_id : "", shared && host.memory_total_bytes > 0
                                                                ? host.memory_total_bytes
                                                                : device.memory_total_bytes);
    memory.context_bytes = std::max<int64_t>(0, device.runner_context_bytes);
    for (const ServingState& state : event.serving) {
      if (state.device != device.device) continue;
      memory.serves = true;
      memory.held_bytes = std::max<int64_t>(0, state.held_bytes);
      memory.busy_bytes = std::max<int64_t>(0, state.busy_bytes);
      memory.promised_bytes = std::max(memory.held_bytes, state.budget_bytes);
    }
    Ledger& ledger = pools_.ledgers()[memory.ledger];
    ledger.serving_bytes += SetAside(memory);
    if (memory.serves) ledger.fixed_bytes += memory.context_bytes;
    pools_.RefreshLedger(memory.ledger);
  }
}

void Core::Impl::CloseMemory(uint32_t number) {
  for (const DeviceMemory& memory : workers_[number].memory) {
    Ledger& ledger = pools_.ledgers()[memory.ledger];
    ledger.serving_bytes -= SetAside(memory);
    if (memory.serves) ledger.fixed_bytes -= memory.context_bytes;
    pools_.RefreshLedger(memory.ledger);
    pools_.ledgers().Close(memory.ledger);
  }
  workers_[number].memory.clear();
}

void Core::Impl::NoteLedgerUser(const std::string& worker, const std::string& ledger) {
  for (const uint32_t released : pools_.ledgers().Back(worker)) pools_.RefreshLedger(released);
  const bool known = ledger.empty() || ledger_users_.count({ledger, worker}) > 0;
  const size_t others = std::erase_if(ledger_users_, [&](const LedgerUser& user) {
    return user.worker == worker && user.ledger != ledger;
  });
  if (known && others == 0) return;
  if (!ledger.empty()) ledger_users_.insert({ledger, worker});
  effects_->ledger_users_changed = true;
}

void Core::Impl::GiveUpLedgerUsers() {
  for (const uint32_t released : pools_.ledgers().GiveUpMissing()) pools_.RefreshLedger(released);
  const size_t gone = std::erase_if(
      ledger_users_, [&](const LedgerUser& user) { return worker_names_.count(user.worker) == 0; });
  if (gone > 0) effects_->ledger_users_changed = true;
}

int64_t Core::Impl::SetAside(const DeviceMemory& memory) {
  return memory.serves ? memory.context_bytes + memory.promised_bytes : 0;
}

// --- Serving budgets ---

void Core::Impl::PromiseServing(DeviceMemory& memory, int64_t bytes) {
  pools_.ledgers()[memory.ledger].serving_bytes += bytes - memory.promised_bytes;
  memory.promised_bytes = bytes;
  pools_.RefreshLedger(memory.ledger);
}

std::vector<ServingBudget> Core::Impl::GrowServing(uint32_t number) {
  WorkerRow& worker = workers_[number];
  std::vector<ServingBudget> budgets;
  for (size_t i = 0; i < worker.memory.size(); ++i) {
    DeviceMemory& memory = worker.memory[i];
    const Ledger& ledger = pools_.ledgers()[memory.ledger];
    if (!memory.serves || memory.shrinking() || !ledger.known()) continue;
    const int64_t target = ServingTarget(ledger.total_bytes, config_.serving_share_percent);
    const int64_t more = std::min(target - memory.promised_bytes, ledger.Free());
    if (more > 0) PromiseServing(memory, memory.promised_bytes + more);
    if (more <= 0 && memory.asked > 0) continue;
    memory.asked_bytes = memory.promised_bytes;
    budgets.push_back({worker.devices[i].device, memory.asked_bytes, ++memory.asked});
  }
  return budgets;
}

void Core::Impl::AskToEvict(uint32_t number, size_t device, int64_t budget_bytes) {
  WorkerRow& worker = workers_[number];
  DeviceMemory& memory = worker.memory[device];
  memory.asked_bytes = budget_bytes;
  ++memory.asked;
  effects_->serving_budgets.push_back(
      {worker.session, {{worker.devices[device].device, budget_bytes, memory.asked}}});
  if (config_.bugs.freed_too_early) PromiseServing(memory, budget_bytes);
  if (worker.serving_timer != kNone) return;
  worker.serving_timer =
      boot_timers_.Add(now_.boot_us + config_.serving_regrow_us, {TimerKind::kServing, number});
}

void Core::Impl::On(const WorkerServing& event) {
  const uint32_t number = WorkerOf(event.session);
  if (number == kNone) return;
  WorkerRow& worker = workers_[number];
  for (const ServingState& state : event.states) {
    for (size_t i = 0; i < worker.memory.size(); ++i) {
      DeviceMemory& memory = worker.memory[i];
      if (worker.devices[i].device != state.device || !memory.serves) continue;
      memory.held_bytes = std::max<int64_t>(0, state.held_bytes);
      memory.busy_bytes = std::max<int64_t>(0, state.busy_bytes);
      memory.obeyed = std::max(memory.obeyed, std::min(state.sequence, memory.asked));
      // Only an answer to the newest budget frees anything; what could not be evicted stays
      // promised.
      if (memory.obeyed < memory.asked) continue;
      const int64_t bytes = std::max(memory.asked_bytes, memory.held_bytes);
      if (bytes != memory.promised_bytes) PromiseServing(memory, bytes);
    }
  }
  effects_->fleet_changed = true;
}

void Core::Impl::OnServingTimer(uint32_t number) {
  WorkerRow& worker = workers_[number];
  worker.serving_timer = kNone;
  bool below = false;
  for (size_t i = 0; i < worker.memory.size() && worker.session != 0; ++i) {
    // Not answered in all this time: said once more.
    DeviceMemory& memory = worker.memory[i];
    if (!memory.shrinking()) continue;
    ++memory.asked;
    effects_->serving_budgets.push_back(
        {worker.session, {{worker.devices[i].device, memory.asked_bytes, memory.asked}}});
  }
  if (worker.session != 0 && now_.boot_us - memory_wanted_us_ >= config_.serving_regrow_us) {
    std::vector<ServingBudget> budgets = GrowServing(number);
    if (!budgets.empty()) effects_->serving_budgets.push_back({worker.session, std::move(budgets)});
  }
  for (const DeviceMemory& memory : worker.memory) {
    const int64_t total_bytes = pools_.ledgers()[memory.ledger].total_bytes;
    below |= memory.serves &&
             memory.promised_bytes < ServingTarget(total_bytes, config_.serving_share_percent);
  }
  if (!below) return;
  worker.serving_timer =
      boot_timers_.Add(now_.boot_us + config_.serving_regrow_us, {TimerKind::kServing, number});
}

bool Core::Impl::WaitsForMemory(uint32_t group, const LiveJob& row) const {
  if (!SomeRoom(group)) return false;
  const int64_t need_bytes = NeedOf(row);
  if (row.device_count > 1) {
    return blocked_[group].refused_at_version == pools_.version() &&
           RoomOf(group).free >= row.device_count;
  }
  const uint32_t mask = StepMask(group);
  const auto& shapes = shapes_[group].shapes;
  return std::none_of(shapes.begin(), shapes.end(), [&](uint32_t shape) {
    return pools_.Find(shape, mask, need_bytes) != kNone;
  });
}

void Core::Impl::EvictFor(uint32_t group, const LiveJob& row) {
  Blocked& blocked = blocked_[group];
  if (now_.boot_us < blocked.ask_us || !WaitsForMemory(group, row)) return;
  memory_wanted_us_ = now_.boot_us;
  blocked.ask_us = now_.boot_us + kAskIntervalUs;
  const int64_t need_bytes = NeedOf(row);
  size_t looks = 0;
  for (const uint32_t shape : shapes_[group].shapes) {
    const auto& pools = pools_.PoolsOf(shape);
    for (size_t i = 0; i < pools.size() && looks < kEvictionLooks; ++i, ++looks) {
      // Each time from where the last look ended, so that all are looked at in the end.
      const uint32_t pool = pools[(blocked.looked + i) % pools.size()];
      if (pools_[pool].step >= 0 && EvictOn(pool, need_bytes)) return;
    }
  }
  blocked.looked += kEvictionLooks;
}

std::vector<std::pair<uint32_t, size_t>> Core::Impl::Evictable(uint32_t ledger) const {
  std::vector<std::pair<uint32_t, size_t>> runners;
  for (const uint32_t pool : pools_.ledgers()[ledger].pools) {
    const uint32_t number = pools_[pool].worker;
    const WorkerRow& worker = workers_[number];
    for (size_t i = 0; i < worker.memory.size() && worker.session != 0; ++i) {
      const std::pair<uint32_t, size_t> runner(number, i);
      const bool listed = std::find(runners.begin(), runners.end(), runner) != runners.end();
      if (!listed && worker.memory[i].ledger == ledger && worker.memory[i].Evictable() > 0)
        runners.push_back(runner);
    }
  }
  return runners;
}

bool Core::Impl::EvictOn(uint32_t pool, int64_t need_bytes) {
  const Pool& place = pools_[pool];
  if (place.ledger == kNone || workers_[place.worker].session == 0) return false;
  const auto runners = Evictable(place.ledger);
  ServingShrink shrink{.need_bytes = need_bytes, .free_bytes = place.free_bytes};
  for (const auto& [worker, i] : runners) {
    shrink.evictable_bytes.push_back(workers_[worker].memory[i].Evictable());
  }
  const std::vector<int64_t> given = WhatToEvict(shrink);
  for (size_t k = 0; k < given.size(); ++k) {
    const auto [worker, i] = runners[k];
    if (given[k] > 0) AskToEvict(worker, i, workers_[worker].memory[i].promised_bytes - given[k]);
  }
  return !given.empty();
}

bool Core::Impl::SeatFits(uint32_t group, uint32_t pool, int64_t need_bytes) const {
  const auto& shapes = shapes_[group].shapes;
  const auto ours = [&](uint32_t number) {
    return std::find(shapes.begin(), shapes.end(), pools_[number].shape) != shapes.end();
  };
  const Pool& place = pools_[pool];
  if (!ours(pool)) return false;
  if (!PoolIndex::Grants(place, need_bytes)) return false;
  // What is free is so beside one runner's context.
  int64_t wanted_bytes = need_bytes;
  for (const uint32_t other : pools_.ledgers()[place.ledger].pools) {
    if (other == pool) break;
    if (pools_.IsFree(pools_[other]) && ours(other))
      wanted_bytes += need_bytes + pools_[other].context_bytes;
  }
  return wanted_bytes <= std::max<int64_t>(0, place.free_bytes);
}

bool Core::Impl::MemoryAfter(const LiveAttempt& attempt, uint32_t job) const {
  if (attempt.pool == kNone) return true;
  const int64_t need_bytes = NeedOf(rows_[job]);
  const Pool& place = pools_[attempt.pool];
  if (PoolIndex::Grants(place, need_bytes)) return true;
  return place.free_bytes + attempt.granted_bytes + place.context_bytes >= need_bytes;
}

// --- Out of memory ---

int64_t Core::Impl::EvictableOn(uint32_t pool) const {
  int64_t bytes = 0;
  for (const auto& [worker, i] : Evictable(pools_[pool].ledger)) {
    bytes += workers_[worker].memory[i].Evictable();
  }
  return bytes;
}

void Core::Impl::RanOut(uint32_t job, const RanOutOn& on, const Finished& report) {
  LiveJob& row = rows_[job];
  JobCold& cold = Cold(job);
  ++cold.out_of_memory;
  if (report.memory_peak_bytes > 0 && cold.batch_limit == 0) {
    learned_.LearnPeak(row.workload, report.memory_peak_bytes);
  }
  const int64_t largest = LargestFor(row);
  OutOfMemory facts{.times = cold.out_of_memory,
                    .max_times = config_.max_out_of_memory_attempts,
                    .shrinks_batch = kinds_[row.kind].config.shrinks_batch,
                    .batch = report.batch,
                    .needed_bytes = report.memory_peak_bytes,
                    .granted_bytes = on.granted_bytes,
                    .largest_bytes = largest == kMemoryUnknown ? 0 : std::max<int64_t>(0, largest)};
  if (config_.bugs.oom_retry_forever) facts.max_times = UINT32_MAX;
  if (on.pool != kNone) {
    facts.free_bytes = std::max<int64_t>(0, pools_[on.pool].free_bytes);
    facts.evictable_bytes = EvictableOn(on.pool);
  }
  OutOfMemoryDecision decision = DecideOutOfMemory(facts);
  if (config_.bugs.oom_retry_forever && decision.action == OutOfMemoryDecision::kFail) {
    decision = {.action = OutOfMemoryDecision::kMore, .grant_bytes = on.granted_bytes};
  }
  MarkStored(job);
  switch (decision.action) {
    case OutOfMemoryDecision::kFail:
      cold.error.clear();
      return EndJob(job, JobState::kFailed, Reason::kOutOfMemory, RanOutMessage(row, on, report),
                    kResourceExhausted);
    case OutOfMemoryDecision::kShrinkBatch:
      cold.batch_limit = decision.batch;
      break;
    case OutOfMemoryDecision::kEvict:
      EvictOn(on.pool, decision.grant_bytes);
      [[fallthrough]];
    case OutOfMemoryDecision::kMore:
      cold.memory_raised_bytes = decision.grant_bytes;
      break;
  }
  cold.retry_us = 0;
  SetState(job, JobState::kQueued, Reason::kNone);
  Enqueue(job);
}

std::string Core::Impl::RanOutMessage(const LiveJob& row, const RanOutOn& on,
                                      const Finished& report) const {
  std::vector<std::string> devices;
  const JobClass job_class = kinds_[row.kind].config.job_class;
  for (uint32_t shape = 0; shape < pools_.shapes() && devices.size() < kDevicesListed; ++shape) {
    const auto& name = pools_.Name(shape);
    if (name.job_class != job_class || (name.kinds >> row.kind & 1) == 0) continue;
    if (!DeviceMatches(devices_.Text(row.device), devices_.Text(name.device))) continue;
    for (const uint32_t pool : pools_.PoolsOf(shape)) {
      if (devices.size() == kDevicesListed) break;
      const Pool& place = pools_[pool];
      devices.push_back(
          absl::StrCat(devices_.Text(name.device), " of ", workers_[place.worker].id, ": ",
                       place.free_bytes == kMemoryUnknown
                           ? "not known"
                           : absl::StrCat(MemoryText(std::max<int64_t>(0, place.free_bytes)),
                                          " of ", MemoryText(place.capacity_bytes))));
    }
  }
  return absl::StrCat(
      "out of memory ", row.cold->out_of_memory, " times: needed at least ",
      report.memory_peak_bytes > 0 ? MemoryText(report.memory_peak_bytes) : "more than there was",
      on.granted_bytes > 0 ? absl::StrCat(", was granted ", MemoryText(on.granted_bytes)) : "",
      " on ", on.device,
      "; free: ", devices.empty() ? "no fitting device" : absl::StrJoin(devices, ", "),
      "; make the work smaller, or attach a larger device");
}

std::string Core::Impl::MemoryMessage(const LiveJob& row) const {
  const uint32_t group = queue_.FindGroup(GroupKeyOf(row));
  int64_t most = 0;
  if (group < shapes_.size()) {
    const uint32_t mask = StepMask(group);
    for (const uint32_t shape : shapes_[group].shapes) {
      most = std::max(most, pools_.MostFree(shape, mask));
    }
  }
  const int64_t need_bytes = NeedOf(row);
  return absl::StrCat("needs ",
                      need_bytes > 0 ? MemoryText(need_bytes) : "room for the context of a runner",
                      " on a device; the most a fitting one has free is ", MemoryText(most));
}

}  // namespace switchyard::scheduler
