#include "tests/simulation/job_plan.h"

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

JobPlan PlanCalmJob(uint64_t token) {
  Random random(token * 0x2545F4914F6CDD1Du + 1);
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

}  // namespace

JobPlan PlanJob(uint64_t token) {
  if (token >= kCalmTokens) return PlanCalmJob(token);
  Random random(token * 0x2545F4914F6CDD1Du + 1);
  JobPlan plan;
  plan.token = token;
  if (token >= kSteadyTokens) {
    plan.kind = plan.job.kind = kTrain;
    plan.job.device = "auto";
    plan.run_us = random.Between(kSecond, kLongestSteadyUs);
    return plan;
  }
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
  plan.gang = random.Chance(0.08);
  if (plan.gang && plan.kind == kTrain && random.Chance(0.5)) plan.run_us *= 4;
  return plan;
}

}  // namespace switchyard::simulation
