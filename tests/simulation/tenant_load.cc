#include "tests/simulation/tenant_load.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kLookUs = 1'000'000;

}  // namespace

void TenantLoad::Begin() {
  if (world_.profile().tenants.empty()) return;
  world_.After(kLookUs, [this] {
    if (!world_.faulty()) return;
    Fill();
    Begin();
  });
}

void TenantLoad::Fill() {
  const auto accounts = world_.accounts();
  for (const TenantProfile& tenant : world_.profile().tenants) {
    uint64_t queued = 0;
    for (const scheduler::TenantView& view : accounts->tenants) {
      if (view.settings.name == tenant.settings.name) queued = view.queued;
    }
    if (tenant.every_us == 0) {
      if (queued < tenant.backlog) Submit(tenant, tenant.backlog - queued);
      continue;
    }
    int64_t& next_us = next_us_[tenant.settings.name];
    if (world_.now_us() < next_us) continue;
    next_us = world_.now_us() + random_.Between(tenant.every_us / 2, tenant.every_us * 3 / 2);
    Submit(tenant, 1);
  }
}

void TenantLoad::Submit(const TenantProfile& tenant, uint64_t jobs) {
  scheduler::Input input;
  scheduler::SubmitJobs submit;
  std::vector<JobPlan> plans;
  for (uint64_t i = 0; i < jobs; ++i) {
    JobPlan plan =
        PlanJob(MakeToken(JobSort::kSteady, Features(), world_.options().seed, next_number_++));
    plan.tenant = tenant.settings.name;
    plan.job.priority = tenant.priority;
    submit.jobs.push_back(plan.job);
    input.specs.push_back(SpecOf(plan));
    plans.push_back(std::move(plan));
  }
  input.event = std::move(submit);
  input.tenant = tenant.settings.name;
  input.done = [this, plans = std::move(plans)](const scheduler::CommandResult& result) {
    if (!result.status.ok()) return;
    for (size_t i = 0; i < plans.size(); ++i) {
      ++world_.counters()["jobs_accepted"];
      world_.Tell(
          [&](Checker& checker) { checker.OnAccepted(plans[i], result.job + i, world_.now_us()); });
    }
  };
  world_.Command(std::move(input));
}

bool TenantLoad::Done() const {
  if (world_.profile().tenants.empty()) return true;
  const auto accounts = world_.accounts();
  for (const scheduler::TenantView& view : accounts->tenants) {
    if (view.queued > 0 || view.running > 0) return false;
  }
  return true;
}

}  // namespace switchyard::simulation
