// The clients of the scheduler: they submit, cancel, stop, retry, reprioritise, delete and change
// limits, and repeat each call with the same request_id until they get an answer that is one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "scheduler/engine/engine.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/world.h"

namespace switchyard::simulation {

class SimulatedClient {
 public:
  explicit SimulatedClient(World& world);

  // Spreads its calls over the time of faults.
  void Begin();
  // Every call is answered, every accepted job has ended.
  bool Done() const { return planned_ == 0 && open_calls_ == 0 && live_.empty(); }

 private:
  // One call until its answer.
  struct Call {
    scheduler::Input input;  // Copied for each try.
    std::function<void(const scheduler::CommandResult&)> answered;
    bool over = false;
  };

  void Submit();
  JobPlan DrawJob();
  // `first`: id of the first job.
  void OnAccepted(std::vector<JobPlan> plans, const std::string& tenant, JobId first);
  void DependOnEarlier(uint64_t index, JobPlan& plan);
  void PlanFor(JobId job);
  void Cancel(JobId job, bool stop);
  void Retry(JobId job);
  void Reprioritise(JobId job);
  void Delete(JobId job);
  void ChangeLimits();
  void CordonWorker();
  void Uncordon(const std::string& worker);
  void OnChange(const JobImage& image);
  void Start(scheduler::Event event, const std::string& method, const std::string& tenant,
             std::vector<std::string> specs,
             std::function<void(const scheduler::CommandResult&)> answered);
  void Try(const std::shared_ptr<Call>& call);
  void Later(int64_t from_us, int64_t to_us, std::function<void()> what);

  World& world_;
  Random random_;
  uint64_t next_number_ = 1;
  uint64_t next_request_ = 1;
  int planned_ = 0;
  int open_calls_ = 0;
  std::map<JobId, JobPlan> accepted_;
  std::map<JobId, std::string> tenants_;
  std::set<JobId> live_;
  std::set<JobId> touched_;  // Retried or deleted once ended.
  std::set<JobId> retried_;
  bool changing_limits_ = false;
  std::set<std::string> cordoned_;                    // Asked for and not lifted yet.
  std::vector<scheduler::LimitRule> rules_;           // As asked for.
  std::vector<scheduler::LimitRule> answered_rules_;  // As answered.
};

}  // namespace switchyard::simulation
