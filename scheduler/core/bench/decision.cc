#include "scheduler/core/bench/decision.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core.h"

namespace switchyard::scheduler {
namespace {

constexpr uint16_t kKind = 32;
constexpr uint32_t kLimit = 4;
constexpr uint64_t kBatch = 1000;
constexpr int64_t kStepUs = 3;

// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Below(uint64_t bound) {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % bound;
  }

 private:
  uint64_t state_;
};

CoreConfig BenchConfig() {
  CoreConfig config;
  config.kinds = {{.name = "noop", .number = kKind, .job_class = JobClass::kInference}};
  config.ahead_jobs = 0;  // Else 10,000 workers would take the whole queue at once.
  config.lease_us = kNever / 4;
  config.ageing_interval_us = 3'600'000'000;
  return config;
}

class DecisionBench {
 public:
  explicit DecisionBench(const DecisionBenchOptions& options)
      : options_(options), random_(options.seed), core_(BenchConfig()) {}

  DecisionBenchResult Run() {
    Attach();
    Fill(uint64_t{options_.workers} * kLimit);
    const int64_t before = Resident();
    Fill(options_.queued);
    DecisionBenchResult result;
    result.bytes_per_queued_job =
        static_cast<double>(Resident() - before) / static_cast<double>(options_.queued);
    Decide(options_.decisions / 10);
    placed_ = 0;
    const int64_t begin_ns = options_.now_ns();
    Decide(options_.decisions);
    result.decision_us =
        static_cast<double>(options_.now_ns() - begin_ns) / 1000 / options_.decisions;
    result.placed = placed_;
    return result;
  }

 private:
  int64_t Resident() const { return options_.resident_bytes ? options_.resident_bytes() : 0; }

  void Attach() {
    for (uint32_t i = 1; i <= options_.workers; ++i) {
      WorkerAttached hello{.session = i, .worker = absl::StrCat("worker-", i), .incarnation = "a"};
      hello.devices = {{.device = "cpu"}};
      hello.kinds = {"noop"};
      core_.Apply(hello, now_, effects_);
    }
    Settle();
  }

  SubmitJobs Submit(uint64_t jobs) {
    SubmitJobs submit{.tag = 1, .tenant = absl::StrCat("tenant-", random_.Below(options_.tenants))};
    for (uint64_t i = 0; i < jobs; ++i) {
      submit.jobs.push_back(
          {.kind = kKind, .priority = static_cast<uint8_t>(1 + random_.Below(9))});
    }
    return submit;
  }

  void Fill(uint64_t jobs) {
    for (uint64_t left = jobs; left > 0; left -= std::min(left, kBatch)) {
      core_.Apply(Submit(std::min(left, kBatch)), now_, effects_);
      Settle();
    }
  }

  void Decide(uint32_t decisions) {
    for (uint32_t i = 0; i < decisions; i += options_.per_drain) {
      for (uint32_t j = 0; j < options_.per_drain; ++j) {
        core_.Apply(Submit(1), now_, effects_);
        Complete();
      }
      Settle();
    }
  }

  // Ends a random running attempt.
  void Complete() {
    const size_t at = random_.Below(running_.size());
    WorkerReports reports{.session = running_[at].first};
    reports.reports.push_back(
        {running_[at].second, Finished{.outcome = Outcome::kSucceeded, .run_us = 1}});
    running_[at] = running_.back();
    running_.pop_back();
    core_.Apply(std::move(reports), now_, effects_);
  }

  void Settle() {
    now_.wall_us += kStepUs;
    now_.boot_us += kStepUs;
    core_.Advance(now_, effects_);
    for (const AssignAttempt& assignment : effects_.assignments) {
      running_.emplace_back(assignment.session, assignment.ref);
    }
    placed_ += effects_.assignments.size();
    core_.TakeChanges([](const Change&) {});
    effects_.Clear();
  }

  const DecisionBenchOptions options_;
  Random random_;
  Core core_;
  Effects effects_;
  Now now_{.wall_us = 1'700'000'000'000'000, .boot_us = 1'000'000};
  std::vector<std::pair<uint64_t, AttemptRef>> running_;
  uint64_t placed_ = 0;
};

}  // namespace

DecisionBenchResult MeasureDecisions(const DecisionBenchOptions& options) {
  return DecisionBench(options).Run();
}

}  // namespace switchyard::scheduler
