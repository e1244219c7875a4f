#include "scheduler/trace/generator.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/trace/published.h"
#include "scheduler/trace/random.h"

namespace switchyard::scheduler {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;
constexpr double kSecondsPerHour = 3600;

// Repeats of one job, on average: "repeated at least five times" are most of them.
constexpr double kRepeats = 20;
// How alike repeats are: the correlation of their places in the distribution of run times. Weng et
// al. predict 78 % of recurring tasks to within 25 % (section 6.1), which were 0.998; this is a
// factor of 1.7 up or down, on the careful side.
constexpr double kLikeness = 0.98;

// Limits that submitters declare: the run time times a factor evenly spread between 1 and 5 (the
// "f-model", Mu'alem and Feitelson, IEEE TPDS 2001), then up to one of a few round values (Tsafrir,
// Etsion and Feitelson, JSSPP 2005: 20 values make up 90 % of all).
constexpr double kMostOverestimate = 5;
constexpr int64_t kRoundMinutes[] = {5,    10,   15,    30,    60,    120,   180,   240,
                                     360,  480,  720,   1080,  1440,  2160,  2880,  4320,
                                     5760, 7200, 10080, 14400, 20160, 43200, 86400, 432000};

// Priorities, chosen: a few in a hurry, a few that may wait.
constexpr struct {
  double up_to;
  uint8_t priority;
} kPriorities[] = {{0.10, 3}, {0.80, 5}, {1.00, 7}};

// Memory per device as fifths of a device's, one to four, chosen.
constexpr int kMemoryParts = 5;

int64_t DeclaredLimitUs(int64_t duration_us, double share) {
  const double wanted_us = duration_us * (1 + share * (kMostOverestimate - 1));
  for (const int64_t minutes : kRoundMinutes) {
    if (minutes * 60 * kMicrosecondsPerSecond >= wanted_us) return minutes * 60'000'000;
  }
  return static_cast<int64_t>(wanted_us);
}

uint8_t PriorityAt(double share) {
  for (const auto& [up_to, priority] : kPriorities) {
    if (share < up_to) return priority;
  }
  return 5;
}

std::vector<double> Shares(const std::vector<Workload::Size>& sizes) {
  std::vector<double> shares;
  for (const Workload::Size& size : sizes) shares.push_back(size.share);
  return shares;
}

// Turns even time into the time of a day with busy and quiet hours, over and over.
class Days {
 public:
  explicit Days(const std::array<double, 24>& hours) {
    for (const double weight : hours) ends_.push_back(sum_ += weight);
    for (double& end : ends_) end *= 24 / sum_;
  }
  double WallHours(double even_hours) const {
    const double day = std::floor(even_hours / 24);
    const double rest = even_hours - day * 24;
    const size_t hour = std::min<size_t>(
        std::upper_bound(ends_.begin(), ends_.end(), rest) - ends_.begin(), ends_.size() - 1);
    const double begin = hour == 0 ? 0 : ends_[hour - 1];
    return day * 24 + hour + std::min(1.0, (rest - begin) / (ends_[hour] - begin));
  }

 private:
  double sum_ = 0;
  std::vector<double> ends_;  // Even hours at which each hour of the day has passed.
};

// Draws job after job, without their arrivals.
class Jobs {
 public:
  Jobs(const GeneratorOptions& options, const Workload& workload)
      : options_(options),
        workload_(workload),
        sizes_(Shares(workload.sizes)),
        tenants_(workload.tenants),
        random_(options.seed) {}

  TraceJob Next() {
    TraceJob job;
    job.tenant = tenants_.At(random_.Share());
    const bool recurs = random_.Chance(workload_.recurring);
    // What repeats share is drawn by the model's own numbers, so that no model has to be kept.
    TraceRandom own(random_.Next());
    if (recurs) {
      job.model = ModelOf(job.tenant);
      own = TraceRandom(options_.seed * 0x9E3779B97F4A7C15u + job.model);
    }
    const Workload::Size& size = workload_.sizes[sizes_.At(own.Share())];
    job.devices = std::min<uint32_t>(size.devices, static_cast<uint32_t>(options_.devices));
    job.memory_bytes = options_.device_memory_bytes / kMemoryParts *
                       (1 + static_cast<int64_t>(own.Share() * (kMemoryParts - 1)));
    double place = own.Normal();
    if (recurs) {
      place = kLikeness * place + std::sqrt(1 - kLikeness * kLikeness) * random_.Normal();
    }
    const double seconds = workload_.runtimes[size.runtime].At(NormalShare(place));
    job.duration_us = std::max<int64_t>(1, std::llround(seconds * kMicrosecondsPerSecond));
    job.timeout_us = DeclaredLimitUs(job.duration_us, random_.Share());
    job.priority = PriorityAt(random_.Share());
    job.fails = random_.Chance(workload_.failed);
    return job;
  }

 private:
  // A tenant has as many models as it needs for each of its to be repeated so often.
  uint32_t ModelOf(uint32_t tenant) {
    const double recurring =
        static_cast<double>(options_.jobs) * workload_.recurring * tenants_.Share(tenant);
    const double models = std::max(1.0, std::floor(recurring / kRepeats));
    const auto number = static_cast<uint32_t>(random_.Share() * models);
    return 1 + tenant + number * static_cast<uint32_t>(workload_.tenants.size());
  }

  const GeneratorOptions options_;
  const Workload& workload_;
  const Weighted sizes_;
  const Weighted tenants_;
  TraceRandom random_;
};

class GeneratedTrace : public TraceSource {
 public:
  GeneratedTrace(const GeneratorOptions& options, const Workload& workload)
      : options_(options),
        jobs_(options, workload),
        days_(workload.hours),
        arrivals_(options.seed ^ 0xA5A5A5A5A5A5A5A5u) {
    for (size_t i = 0; i < workload.tenants.size(); ++i) {
      tenants_.push_back(absl::StrCat("tenant-", i + 1));
    }
    Jobs first_pass(options, workload);
    double work_seconds = 0;
    TraceRandom gaps = arrivals_;
    for (uint64_t i = 0; i < options.jobs; ++i) {
      const TraceJob job = first_pass.Next();
      work_seconds += job.duration_us / kMicrosecondsPerSecond * job.devices;
      gaps_ += gaps.Exponential();
    }
    hours_ = work_seconds / (options.load * static_cast<double>(options.devices)) / kSecondsPerHour;
  }

  absl::StatusOr<bool> Next(TraceJob& job) override {
    if (given_ == options_.jobs) return false;
    ++given_;
    job = jobs_.Next();
    passed_ += arrivals_.Exponential();
    const double hours = days_.WallHours(passed_ / gaps_ * hours_);
    job.arrival_us = std::llround(hours * kSecondsPerHour * kMicrosecondsPerSecond);
    return true;
  }
  const std::vector<std::string>& tenants() const override { return tenants_; }
  const std::vector<std::string>& kinds() const override { return kinds_; }

 private:
  const GeneratorOptions options_;
  Jobs jobs_;
  const Days days_;
  TraceRandom arrivals_;
  std::vector<std::string> tenants_;
  std::vector<std::string> kinds_ = {"train"};
  double gaps_ = 0;    // Sum of all gaps, so that the last job comes when the time is up.
  double passed_ = 0;  // Of it.
  double hours_ = 0;   // In which all jobs come.
  uint64_t given_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceSource>> GenerateTrace(const GeneratorOptions& options) {
  const Workload* workload = FindWorkload(options.workload);
  if (workload == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("there is no workload \"", options.workload,
                                                   "\": ", absl::StrJoin(WorkloadNames(), ", ")));
  }
  if (options.jobs == 0) return absl::InvalidArgumentError("a trace needs at least one job");
  if (options.devices == 0) return absl::InvalidArgumentError("a cluster needs a device");
  if (!(options.load > 0)) return absl::InvalidArgumentError("the load must be above 0");
  return std::make_unique<GeneratedTrace>(options, *workload);
}

}  // namespace switchyard::scheduler
