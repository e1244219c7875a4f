#include "tests/simulation/job_plan.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kMillisecond = 1000;
constexpr int64_t kSecond = 1'000'000;

int64_t DrawRunTime(uint16_t kind, Random& random) {
  if (kind == kTrain) return random.Between(2 * kSecond, 60 * kSecond);
  // Mostly what assigning ahead is for; sometimes what it must not be misled by.
  if (random.Chance(0.8)) return random.Between(20, 40 * kMillisecond);
  return random.Between(kSecond, 20 * kSecond);
}

std::string DrawDevice(Random& random) {
  switch (random.Below(8)) {
    case 0:
      return "cpu";
    case 1:
      return "cuda";
    case 2:
      return "cuda:0";
    default:
      return "auto";
  }
}

// A token, from below: the job's number, the seed, features, sort.
constexpr int kSeedShift = 24;
constexpr int kFeaturesShift = 44;
constexpr int kSortShift = 56;
constexpr uint64_t Mask(int bits) { return (uint64_t{1} << bits) - 1; }

JobPlan PlanCalmJob(uint64_t token, Random& random) {
  JobPlan plan;
  plan.token = token;
  plan.kind = kTrain;
  plan.job.kind = kTrain;
  plan.gang = random.Chance(0.3);
  // Its model is how the scheduler learns how long it takes.
  const bool brief = !plan.gang && random.Chance(0.5);
  plan.run_us = brief ? 6 * kSecond : 55 * kSecond;
  plan.job.timeout_us = 60 * kSecond;
  plan.job.model_key = brief ? "brief" : "long";
  plan.job.preemptible = false;
  return plan;
}

// What it truly needs, which may be less or more than what it states or what its like needed.
void DrawMemory(JobPlan& plan, Random& random) {
  constexpr int64_t kMiB = 1 << 20;
  constexpr int64_t kShapeMiB[] = {1024, 3072, 6144, 12'288, 40'960};
  if (plan.kind == kTrain && random.Chance(0.6)) {
    const size_t shape = random.Chance(0.04) ? 4 : random.Below(4);
    plan.job.shape = "shape-" + std::to_string(shape);
    plan.true_bytes = kShapeMiB[shape] * random.Between(90, 110) / 100 * kMiB;
    plan.batch = random.Chance(0.5) ? 64 : 1;
  } else if (plan.kind == kNoop && random.Chance(0.2)) {
    plan.true_bytes = random.Between(256, 4096) * kMiB;
    plan.job.shape = "noop-" + std::to_string(plan.true_bytes / kMiB / 512);
  }
  const bool states = plan.kind == kNoop || random.Chance(0.4);
  if (plan.true_bytes > 0 && states) {
    // More than any device has is accepted while nobody is attached.
    plan.job.memory_bytes = plan.true_bytes / 100 * random.Between(60, 150);
  }
}

JobPlan PlanSteadyJob(uint64_t token, Random& random) {
  JobPlan plan;
  plan.token = token;
  plan.kind = plan.job.kind = kTrain;
  plan.run_us = random.Between(kSecond, kLongestSteadyUs);
  return plan;
}

void AddFeatures(Features features, Random& random, JobPlan& plan) {
  if (features.Has(Feature::kGangs) && random.Chance(0.08)) {
    plan.gang = true;
    if (plan.kind == kTrain && random.Chance(0.5)) plan.run_us *= 4;
  }
  if (features.Has(Feature::kMemory)) DrawMemory(plan, random);
  if (features.Has(Feature::kStuck) && random.Chance(0.02)) {
    plan.stuck = true;
    plan.has_deadline = true;
    plan.job.no_progress_us = random.Between(10 * kSecond, 60 * kSecond);
  }
}

}  // namespace

uint64_t MakeToken(JobSort sort, Features features, uint64_t seed, uint64_t number) {
  return static_cast<uint64_t>(sort) << kSortShift | uint64_t{features.bits()} << kFeaturesShift |
         (seed & Mask(kFeaturesShift - kSeedShift)) << kSeedShift | number;
}

JobPlan PlanJob(uint64_t token) {
  Random random(token * 0x2545F4914F6CDD1Du + 1);
  const auto sort = static_cast<JobSort>(token >> kSortShift);
  if (sort == JobSort::kSteady) return PlanSteadyJob(token, random);
  if (sort == JobSort::kCalm) return PlanCalmJob(token, random);
  JobPlan plan;
  plan.token = token;
  plan.kind = random.Chance(0.25) ? kTrain : kNoop;
  plan.run_us = DrawRunTime(plan.kind, random);
  plan.fails = random.Chance(0.05);
  plan.fails_for_good = random.Chance(0.03);
  if (random.Chance(0.06)) plan.crashes = static_cast<uint32_t>(random.Between(1, 4));
  plan.job.kind = plan.kind;
  plan.job.priority = static_cast<uint8_t>(random.Between(1, 9));
  plan.job.device = DrawDevice(random);
  if (random.Chance(0.1)) {
    plan.job.timeout_us = random.Between(kSecond, 30 * kSecond);
    plan.has_deadline = true;
  }
  if (random.Chance(0.05)) plan.has_deadline = true;
  AddFeatures(Features(token >> kFeaturesShift & Mask(kSortShift - kFeaturesShift)), random, plan);
  return plan;
}

std::string SpecOf(const JobPlan& plan) {
  v1::Job job;
  if (plan.kind == kTrain) {
    job.mutable_train();
  } else {
    job.mutable_noop();
  }
  (*job.mutable_labels())["token"] = absl::StrCat(plan.token);
  if (plan.job.expire_us != 0) {
    job.mutable_expire_time()->set_seconds(plan.job.expire_us / kSecond);
    job.mutable_expire_time()->set_nanos(static_cast<int32_t>(plan.job.expire_us % kSecond * 1000));
  }
  return job.SerializeAsString();
}

uint64_t TokenIn(const std::string& spec) {
  v1::Job job;
  uint64_t token = 0;
  if (!job.ParseFromString(spec)) return 0;
  const auto label = job.labels().find("token");
  return label != job.labels().end() && absl::SimpleAtoi(label->second, &token) ? token : 0;
}

}  // namespace switchyard::simulation
