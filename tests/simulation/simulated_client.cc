#include "tests/simulation/simulated_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/policy/limits.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kMillisecond = 1000;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kCallTimeoutUs = 5 * kSecond;

}  // namespace

SimulatedClient::SimulatedClient(World& world) : world_(world), random_(world.random().Fork()) {
  world_.on_change = [this](const JobImage& image) { OnChange(image); };
}

void SimulatedClient::Later(int64_t from_us, int64_t to_us, std::function<void()> what) {
  ++planned_;
  world_.After(random_.Between(from_us, to_us), [this, what = std::move(what)] {
    --planned_;
    what();
  });
}

void SimulatedClient::Begin() {
  if (world_.profile().submits == 0) return;
  const int64_t time_us = world_.profile().fault_time_us;
  for (int i = 0; i < world_.profile().submits; ++i) Later(0, time_us, [this] { Submit(); });
  if (world_.profile().calm) return;
  const Features& features = world_.profile().features;
  for (int i = 0; i < 3; ++i) {
    if (features.Has(Feature::kLimits)) Later(time_us / 4, time_us, [this] { ChangeLimits(); });
    if (features.Has(Feature::kCordons)) Later(0, time_us, [this] { CordonWorker(); });
  }
}

JobPlan SimulatedClient::DrawJob() {
  const Profile& profile = world_.profile();
  const JobSort sort = profile.calm ? JobSort::kCalm : JobSort::kAny;
  JobPlan plan = PlanJob(MakeToken(sort, profile.features, world_.options().seed, next_number_++));
  if (plan.gang) {
    plan.job.device_count = static_cast<uint16_t>(random_.Between(2, profile.largest_gang));
  }
  if (!profile.calm && random_.Chance(0.05))
    plan.job.not_before_us = world_.wall_us() + random_.Between(0, 30 * kSecond);
  if (plan.has_deadline && plan.job.timeout_us == 0) {
    plan.job.expire_us = world_.wall_us() + random_.Between(kSecond, 120 * kSecond);
  }
  return plan;
}

void SimulatedClient::Submit() {
  const std::string tenant = absl::StrCat("tenant-", world_.profile().calm ? 0 : random_.Below(5));
  std::vector<JobPlan> plans;
  std::vector<std::string> specs;
  scheduler::SubmitJobs submit{.tenant = tenant};
  const uint64_t count =
      random_.Chance(0.2) ? random_.Between(2, world_.profile().largest_batch) : 1;
  const Features& features = world_.profile().features;
  const bool array = count > 1 && features.Has(Feature::kArrays) && random_.Chance(0.4);
  const auto width = static_cast<uint32_t>(random_.Between(1, 4));
  for (uint64_t i = 0; i < count; ++i) {
    JobPlan plan = DrawJob();
    if (array) plan.job.array.width = width;
    if (i > 0 && features.Has(Feature::kDependencies) && random_.Chance(0.3))
      DependOnEarlier(i, plan);
    submit.jobs.push_back(plan.job);
    specs.push_back(SpecOf(plan));
    plans.push_back(std::move(plan));
  }
  Start(std::move(submit), "BatchCreateJobs", tenant, std::move(specs),
        [this, plans = std::move(plans), tenant](const scheduler::CommandResult& result) {
          // Refused: a device that does not exist.
          if (result.status.ok()) OnAccepted(plans, tenant, result.job);
        });
}

void SimulatedClient::DependOnEarlier(uint64_t index, JobPlan& plan) {
  // One or two of the jobs before it, or all of them.
  const uint64_t first = random_.Below(index);
  if (random_.Chance(0.2)) {
    plan.job.depends_on.push_back({{0, static_cast<uint32_t>(index)}, /*in_submit=*/true});
    return;
  }
  plan.job.depends_on.push_back({{first, 1}, /*in_submit=*/true});
  const uint64_t second = random_.Below(index);
  if (second != first && random_.Chance(0.5)) {
    plan.job.depends_on.push_back({{second, 1}, /*in_submit=*/true});
  }
}

void SimulatedClient::OnAccepted(std::vector<JobPlan> plans, const std::string& tenant,
                                 JobId first) {
  for (size_t i = 0; i < plans.size(); ++i) {
    const JobId job = first + i;
    for (const auto& each : plans[i].job.depends_on) {
      for (uint32_t k = 0; k < each.jobs.count; ++k) {
        plans[i].depends_on.push_back(first + each.jobs.first + k);
      }
    }
    tenants_[job] = tenant;
    live_.insert(job);
    ++world_.counters()["jobs_accepted"];
    world_.Tell([&](Checker& checker) { checker.OnAccepted(plans[i], job, world_.now_us()); });
    accepted_[job] = std::move(plans[i]);
    PlanFor(job);
  }
  // Changes published before the answer came were not listened to.
  for (const StoredJob& stored : world_.Stored(first, plans.size())) OnChange(stored.image);
}

void SimulatedClient::PlanFor(JobId job) {
  if (world_.profile().calm) return;
  const uint64_t draw = random_.Below(100);
  if (draw < 12) Later(0, 20 * kSecond, [this, job] { Cancel(job, /*stop=*/false); });
  if (draw >= 12 && draw < 18) Later(0, 20 * kSecond, [this, job] { Cancel(job, /*stop=*/true); });
  if (draw >= 18 && draw < 24) Later(0, 5 * kSecond, [this, job] { Reprioritise(job); });
}

void SimulatedClient::Cancel(JobId job, bool stop) {
  if (!accepted_.contains(job)) return;
  Start(scheduler::CancelJob{.job = job, .checkpoint_first = stop}, stop ? "StopJob" : "CancelJob",
        tenants_[job], {}, [this, job](const scheduler::CommandResult& result) {
          // A repeated answer says how the job is now, which may be after more has happened to it.
          if (!result.status.ok() || result.image == nullptr || result.repeated) return;
          // Of a job that is being retried nobody knows whether the cancel came before or after.
          if (retried_.contains(job)) return;
          ++world_.counters()["cancels"];
          world_.Tell(
              [&](Checker& checker) { checker.OnCancelAnswered(accepted_[job], *result.image); });
        });
}

void SimulatedClient::Reprioritise(JobId job) {
  const auto priority = static_cast<uint8_t>(random_.Between(1, 9));
  Start(scheduler::UpdateJob{.job = job, .priority = priority}, "UpdateJob", tenants_[job], {},
        [](const scheduler::CommandResult&) {});
}

void SimulatedClient::Retry(JobId job) {
  live_.insert(job);
  retried_.insert(job);
  // Told before it is asked: a retry may take effect though its answer gets lost.
  world_.Tell([&](Checker& checker) { checker.OnRetryAnswered(job); });
  Start(scheduler::RetryJob{.job = job}, "RetryJob", tenants_[job], {},
        [this, job](const scheduler::CommandResult& result) {
          ++world_.counters()["retries"];
          if (!result.status.ok()) live_.erase(job);
        });
}

void SimulatedClient::Delete(JobId job) {
  Start(scheduler::DeleteJob{.job = job}, "DeleteJob", tenants_[job], {},
        [this, job](const scheduler::CommandResult& result) {
          if (!result.status.ok()) return;
          ++world_.counters()["deletes"];
          accepted_.erase(job);
          live_.erase(job);
          world_.Tell([&](Checker& checker) { checker.OnDeleted(job); });
        });
}

void SimulatedClient::ChangeLimits() {
  // One at a time: of two under way nobody knows which takes effect last.
  if (changing_limits_) return;
  changing_limits_ = true;
  scheduler::UpdateLimits update;
  const bool training = random_.Chance(0.5);
  update.set.push_back(
      {.worker = random_.Chance(0.5) ? "w1" : "",
       .device = random_.Chance(0.5) ? "cpu" : "",
       .job_class = training ? scheduler::JobClass::kTraining : scheduler::JobClass::kInference,
       .max_running = static_cast<uint32_t>(random_.Between(1, 6))});
  const std::vector<scheduler::LimitRule> set = update.set;
  rules_ = scheduler::MergeLimits(std::move(rules_), set, {});
  // In force at the earliest now; the old ones at the latest until the answer.
  world_.Tell([&](Checker& checker) { checker.OnLimits(rules_, world_.now_us()); });
  Start(std::move(update), "UpdateLimits", "operator", {},
        [this, set](const scheduler::CommandResult&) {
          const int64_t now_us = world_.now_us();
          world_.Tell([&](Checker& checker) { checker.OnLimits(answered_rules_, now_us); });
          answered_rules_ = scheduler::MergeLimits(std::move(answered_rules_), set, {});
          world_.Tell([&](Checker& checker) { checker.OnLimits(rules_, now_us); });
        });
}

void SimulatedClient::CordonWorker() {
  const std::string worker = absl::StrCat("w", 1 + random_.Below(world_.profile().workers.size()));
  if (!cordoned_.insert(worker).second) return;
  scheduler::CordonWorker cordon;
  cordon.cordon = {.worker = worker, .reason = "repair"};
  if (random_.Chance(0.6)) {
    cordon.cordon.drain_deadline_us = world_.wall_us() + random_.Between(kSecond, 30 * kSecond);
  }
  const bool drain = cordon.cordon.drain_deadline_us != 0;
  ++world_.counters()[drain ? "worker_drains" : "cordons"];
  if (drain) world_.Tell([&](Checker& checker) { checker.OnDrain(worker, true); });
  Start(std::move(cordon), "CordonWorker", "operator", {},
        [this, worker](const scheduler::CommandResult&) {
          world_.Tell([&](Checker& checker) { checker.OnCordon(worker, true); });
          Later(kSecond, 60 * kSecond, [this, worker] { Uncordon(worker); });
        });
}

void SimulatedClient::Uncordon(const std::string& worker) {
  world_.Tell([&](Checker& checker) { checker.OnCordon(worker, false); });
  scheduler::CordonWorker lift;
  lift.cordon.worker = worker;
  lift.lift = true;
  Start(std::move(lift), "UncordonWorker", "operator", {},
        [this, worker](const scheduler::CommandResult&) {
          cordoned_.erase(worker);
          world_.Tell([&](Checker& checker) { checker.OnDrain(worker, false); });
        });
}

void SimulatedClient::OnChange(const JobImage& image) {
  if (!accepted_.contains(image.id)) return;
  if (!scheduler::HasEnded(image.state)) {
    live_.insert(image.id);
    return;
  }
  live_.erase(image.id);
  if (!world_.faulty() || !touched_.insert(image.id).second) return;
  const JobId job = image.id;
  if (image.state == scheduler::JobState::kSucceeded) {
    if (random_.Chance(0.1)) Later(0, 5 * kSecond, [this, job] { Delete(job); });
  } else if (random_.Chance(0.4)) {
    Later(0, 5 * kSecond, [this, job] { Retry(job); });
  }
}

// --- Calls ---

void SimulatedClient::Start(scheduler::Event event, const std::string& method,
                            const std::string& tenant, std::vector<std::string> specs,
                            std::function<void(const scheduler::CommandResult&)> answered) {
  auto call = std::make_shared<Call>();
  call->input.event = std::move(event);
  call->input.specs = std::move(specs);
  call->input.tenant = tenant;
  call->input.request = {.method = method,
                         .request_id = absl::StrCat("request-", next_request_++),
                         .body_sha256 = std::string(32, 'x')};
  call->answered = std::move(answered);
  ++open_calls_;
  Try(call);
}

void SimulatedClient::Try(const std::shared_ptr<Call>& call) {
  if (call->over) return;
  scheduler::Input input = call->input;
  input.done = [this, call](scheduler::CommandResult result) {
    if (call->over || absl::IsUnavailable(result.status)) return;
    call->over = true;
    // The answer travels.
    world_.After(random_.Between(50, kMillisecond), [this, call, result = std::move(result)] {
      --open_calls_;
      call->answered(result);
    });
  };
  ++world_.counters()["calls"];
  world_.Command(std::move(input));
  world_.After(kCallTimeoutUs, [this, call] { Try(call); });
}

}  // namespace switchyard::simulation
