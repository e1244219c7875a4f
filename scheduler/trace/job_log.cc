#include "scheduler/trace/job_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"

namespace switchyard::scheduler {
namespace {

// Places in the order in which names came first.
class Names {
 public:
  uint32_t Number(const std::string& name) {
    const auto [found, made] = numbers_.try_emplace(name, static_cast<uint32_t>(names_.size()));
    if (made) names_.push_back(name);
    return found->second;
  }
  std::vector<std::string> Take() { return std::move(names_); }

 private:
  std::map<std::string, uint32_t> numbers_;
  std::vector<std::string> names_;
};

// The attempt that decided: the last that ran; null: none did.
const AttemptImage* LastRun(const JobImage& image) {
  for (auto attempt = image.attempts.rbegin(); attempt != image.attempts.rend(); ++attempt) {
    if (attempt->start_us > 0 && attempt->end_us > 0) return &*attempt;
  }
  return nullptr;
}

// When it could have begun.
int64_t Eligible(const JobImage& image) { return std::max({image.create_us, image.not_before_us}); }

}  // namespace

void JobLogBuilder::Add(const JobImage& image) {
  if (HasEnded(image.state) && LastRun(image) != nullptr) {
    images_.push_back(image);
  } else {
    ++left_out_;
  }
}

absl::StatusOr<JobLog> JobLogBuilder::Build() {
  if (images_.empty()) {
    return absl::FailedPreconditionError("there is no job in this log that ran and has ended");
  }
  std::sort(images_.begin(), images_.end(), [](const JobImage& a, const JobImage& b) {
    return std::pair(Eligible(a), a.id) < std::pair(Eligible(b), b.id);
  });
  JobLog log;
  log.left_out = left_out_;
  Names tenants;
  Names kinds;
  Names models;
  models.Number("");  // 0: none.
  std::map<std::string, std::set<std::string>> devices;
  Cluster cluster;
  RunMeter meter(cluster);
  const int64_t begin_us = Eligible(images_.front());
  for (const JobImage& image : images_) {
    const AttemptImage& run = *LastRun(image);
    const auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const KindConfig& known) {
      return known.number == image.kind;
    });
    if (kind == kinds_.end()) {
      ++log.left_out;
      continue;
    }
    TraceJob& job = log.jobs.emplace_back();
    job.arrival_us = Eligible(image) - begin_us;
    job.duration_us = std::max<int64_t>(1, run.end_us - run.start_us);
    job.memory_bytes = image.memory_bytes;
    job.timeout_us = image.timeout_us;
    job.devices = std::max<uint32_t>(1, image.device_count);
    job.tenant = tenants.Number(image.tenant);
    job.model = models.Number(image.model_key);
    job.priority = image.priority;
    job.kind = static_cast<uint8_t>(kinds.Number(kind->name));
    job.fails = image.state != JobState::kSucceeded;
    if (!run.device.empty()) devices[run.worker].insert(run.device);
    log.gpus = log.gpus || absl::StartsWith(run.device, "cuda");
    meter.Ran(job, run.end_us - begin_us);
  }
  meter.Finish({}, log.recorded);
  log.recorded.policy = "recorded";
  log.tenants = tenants.Take();
  log.kinds = kinds.Take();
  log.workers = std::max<uint32_t>(1, static_cast<uint32_t>(devices.size()));
  log.devices_per_worker = 1;
  for (const auto& [worker, names] : devices) {
    log.devices_per_worker = std::max(log.devices_per_worker, static_cast<uint32_t>(names.size()));
  }
  return log;
}

}  // namespace switchyard::scheduler
