#include "scheduler/trace/simulated_workers.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "scheduler/policy/limits.h"

namespace switchyard::scheduler {
namespace {

// Classes that are counted per device; GENERAL is per worker and comes after all of them.
constexpr uint32_t kDeviceClasses = 2;

uint32_t LanesPerWorker(const Cluster& cluster) {
  return cluster.devices_per_worker * kDeviceClasses + 1;
}

}  // namespace

SimulatedWorkers::SimulatedWorkers(const Cluster& cluster) : cluster_(cluster) {
  lanes_.resize(uint64_t{cluster.workers} * LanesPerWorker(cluster));
  for (uint32_t worker = 0; worker < cluster.workers; ++worker) {
    const std::string name = WorkerName(worker);
    for (uint32_t device = 0; device < cluster.devices_per_worker; ++device) {
      for (const JobClass one : {JobClass::kTraining, JobClass::kInference}) {
        lanes_[LaneOf(worker, device, one)].limit =
            ResolveLimit(cluster.limits, name, DeviceName(cluster, device), one);
      }
    }
    lanes_[LaneOf(worker, 0, JobClass::kGeneral)].limit =
        ResolveLimit(cluster.limits, name, "", JobClass::kGeneral);
  }
}

uint32_t SimulatedWorkers::LaneOf(uint32_t worker, uint32_t device, JobClass job_class) const {
  const uint32_t first = worker * LanesPerWorker(cluster_);
  if (job_class == JobClass::kGeneral) return first + LanesPerWorker(cluster_) - 1;
  return first + device * kDeviceClasses + (job_class == JobClass::kTraining ? 0 : 1);
}

WorkerAttached SimulatedWorkers::Attach(uint32_t worker) const {
  const std::string name = WorkerName(worker);
  WorkerAttached hello{.session = worker + 1, .worker = name, .incarnation = name, .host = name};
  for (uint32_t i = 0; i < cluster_.devices_per_worker; ++i) {
    WorkerDevice& device = hello.devices.emplace_back();
    device.device = DeviceName(cluster_, i);
    device.memory_total_bytes = cluster_.device_memory_bytes;
  }
  for (const KindConfig& kind : cluster_.kinds) hello.kinds.push_back(kind.name);
  return hello;
}

SimulatedWorkers::Attempt* SimulatedWorkers::Find(const AttemptRef& ref) {
  const auto found = attempts_.find(ref.job);
  return found == attempts_.end() || found->second.ref != ref ? nullptr : &found->second;
}

bool SimulatedWorkers::Runs(const AttemptRef& ref) const {
  const auto found = attempts_.find(ref.job);
  return found != attempts_.end() && found->second.ref == ref && found->second.running;
}

absl::Status SimulatedWorkers::AddPlaces(const AssignAttempt& assignment, Attempt& attempt) {
  const auto worker = static_cast<uint32_t>(assignment.session - 1);
  attempt.sessions.push_back(assignment.session);
  if (assignment.job_class == JobClass::kGeneral) {
    attempt.lanes.push_back(LaneOf(worker, 0, assignment.job_class));
    return absl::OkStatus();
  }
  std::vector<std::string> devices = assignment.gang.devices;
  if (assignment.gang.size == 0) devices = {assignment.device};
  for (const std::string& name : devices) {
    absl::string_view number(name);
    uint32_t device = 0;
    if (!cluster_.gpus && number == "cpu") number = "cuda:0";
    if (!absl::ConsumePrefix(&number, "cuda:") || !absl::SimpleAtoi(number, &device) ||
        device >= cluster_.devices_per_worker) {
      return absl::InternalError(
          absl::StrCat("the core assigned a device that is not there: ", name));
    }
    attempt.lanes.push_back(LaneOf(worker, device, assignment.job_class));
  }
  return absl::OkStatus();
}

absl::Status SimulatedWorkers::Assign(const AssignAttempt& assignment,
                                      std::vector<WorkerNews>& news) {
  const auto [place, made] = attempts_.try_emplace(assignment.ref.job);
  Attempt& attempt = place->second;
  if (!made && (attempt.ref != assignment.ref || assignment.gang.member == 0)) {
    return absl::InternalError(
        absl::StrCat("the core assigned job ", FormatJobId(assignment.ref.job), " twice"));
  }
  attempt.ref = assignment.ref;
  attempt.rank = assignment.rank;
  if (absl::Status status = AddPlaces(assignment, attempt); !status.ok()) return status;
  if (assignment.gang.size > 0) {
    return attempt.sessions.size() < assignment.gang.members ? absl::OkStatus()
                                                             : StartGang(attempt, news);
  }
  const uint32_t lane = attempt.lanes[0];
  lanes_[lane].held.push_back(assignment.ref);
  StartHeld(lane, news);
  return absl::OkStatus();
}

absl::Status SimulatedWorkers::StartGang(Attempt& attempt, std::vector<WorkerNews>& news) {
  for (const uint32_t number : attempt.lanes) {
    Lane& lane = lanes_[number];
    if (lane.running >= lane.limit) {
      return absl::InternalError(absl::StrCat("the core assigned a busy device to job ",
                                              FormatJobId(attempt.ref.job),
                                              ", which needs several at once"));
    }
    ++lane.running;
  }
  attempt.running = true;
  news.push_back({WorkerNews::kStarted, attempt.ref, attempt.sessions});
  return absl::OkStatus();
}

void SimulatedWorkers::StartHeld(uint32_t number, std::vector<WorkerNews>& news) {
  Lane& lane = lanes_[number];
  while (lane.running < lane.limit && !lane.held.empty()) {
    const auto best = std::min_element(
        lane.held.begin(), lane.held.end(), [this](const AttemptRef& a, const AttemptRef& b) {
          return attempts_.find(a.job)->second.rank < attempts_.find(b.job)->second.rank;
        });
    Attempt& attempt = attempts_.find(best->job)->second;
    lane.held.erase(best);
    ++lane.running;
    attempt.running = true;
    news.push_back({WorkerNews::kStarted, attempt.ref, attempt.sessions});
  }
}

void SimulatedWorkers::Forget(Attempt& attempt, std::vector<WorkerNews>& news) {
  const std::vector<uint32_t> lanes = attempt.lanes;
  if (attempt.running) {
    for (const uint32_t number : lanes) --lanes_[number].running;
  } else {
    std::vector<AttemptRef>& held = lanes_[lanes[0]].held;
    held.erase(std::find(held.begin(), held.end(), attempt.ref));
  }
  attempts_.erase(attempt.ref.job);
  for (const uint32_t number : lanes) StartHeld(number, news);
}

std::vector<uint64_t> SimulatedWorkers::Finish(const AttemptRef& ref,
                                               std::vector<WorkerNews>& news) {
  Attempt& attempt = *Find(ref);
  std::vector<uint64_t> sessions = attempt.sessions;
  Forget(attempt, news);
  return sessions;
}

void SimulatedWorkers::Recall(const AttemptRef& ref, std::vector<WorkerNews>& news) {
  Attempt* attempt = Find(ref);
  if (attempt == nullptr || attempt->running) return;  // Started meanwhile: too late.
  news.push_back({WorkerNews::kReturned, ref, attempt->sessions});
  Forget(*attempt, news);
}

void SimulatedWorkers::Cancel(const CancelAttempt& cancel, std::vector<WorkerNews>& news) {
  // Each member of a gang is asked; the first time ends all of it.
  Attempt* attempt = Find(cancel.ref);
  if (attempt == nullptr) return;
  const WorkerNews::Kind kind = cancel.preempt ? WorkerNews::kPreempted : WorkerNews::kCancelled;
  news.push_back({kind, cancel.ref, attempt->sessions});
  Forget(*attempt, news);
}

}  // namespace switchyard::scheduler
