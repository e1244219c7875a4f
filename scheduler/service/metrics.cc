#include "scheduler/service/metrics.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/kind/kind.h"
#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"

namespace switchyard::scheduler {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class EngineMetrics final : public prometheus::Collectable {
 public:
  EngineMetrics(const LiveView& live, const EngineStats& stats, Clock& clock)
      : live_(live), stats_(stats), clock_(clock) {}

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    const auto fleet = live_.fleet();
    AddQueue(fleet->queue, families);
    AddWorkers(fleet->workers, families);
    AddAttempts(fleet->workers, families);
    AddEngine(families);
    return families;
  }

 private:
  static MetricFamily& Family(const char* name, const char* help, MetricType type,
                              std::vector<MetricFamily>& families) {
    MetricFamily& family = families.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
    return family;
  }

  static void Add(double value, Labels labels, MetricFamily& family) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }

  void AddQueue(const QueueView& queue, std::vector<MetricFamily>& families) const {
    MetricFamily& queued = Family("switchyard_jobs_queued", "Jobs that wait, by priority.",
                                  MetricType::Gauge, families);
    for (int priority = kMostUrgentPriority; priority <= kLeastUrgentPriority; ++priority) {
      Add(static_cast<double>(queue.queued_by_priority[priority]),
          {{"priority", std::to_string(priority)}}, queued);
    }
    Add(static_cast<double>(queue.running), {},
        Family("switchyard_jobs_running", "Jobs that run or are being cancelled.",
               MetricType::Gauge, families));
    const double age =
        queue.oldest_create_us == 0
            ? 0
            : absl::ToDoubleSeconds(clock_.Now() - absl::FromUnixMicros(queue.oldest_create_us));
    Add(age, {},
        Family("switchyard_queue_oldest_age_seconds", "Age of the oldest waiting job.",
               MetricType::Gauge, families));
  }

  static void AddWorkers(const std::vector<WorkerView>& workers,
                         std::vector<MetricFamily>& families) {
    double attached = 0;
    for (const WorkerView& worker : workers) attached += worker.attached;
    MetricFamily& family =
        Family("switchyard_workers", "Workers by state.", MetricType::Gauge, families);
    Add(attached, {{"state", "attached"}}, family);
    Add(static_cast<double>(workers.size()) - attached, {{"state", "stale"}}, family);
  }

  static void AddAttempts(const std::vector<WorkerView>& workers,
                          std::vector<MetricFamily>& families) {
    std::array<uint64_t, kJobClasses> running{};
    std::array<uint64_t, kJobClasses> assigned{};
    const auto add = [&](const ClassUseView& use) {
      running[static_cast<int>(use.job_class)] += use.running;
      assigned[static_cast<int>(use.job_class)] += use.assigned;
    };
    for (const WorkerView& worker : workers) {
      add(worker.general);
      for (const DeviceView& device : worker.devices) {
        for (const ClassUseView& use : device.use) add(use);
      }
    }
    MetricFamily& family = Family("switchyard_attempts", "Attempts on workers, by class and state.",
                                  MetricType::Gauge, families);
    for (int i = 1; i < kJobClasses; ++i) {
      const std::string name = absl::AsciiStrToLower(v1::JobClass_Name(i));
      Add(static_cast<double>(running[i]), {{"job_class", name}, {"state", "running"}}, family);
      Add(static_cast<double>(assigned[i]), {{"job_class", name}, {"state", "assigned"}}, family);
    }
  }

  void AddEngine(std::vector<MetricFamily>& families) const {
    const auto count = [&](const char* name, const char* help, double value) {
      Add(value, {}, Family(name, help, MetricType::Counter, families));
    };
    count("switchyard_engine_drains_total", "Batches the engine took.",
          static_cast<double>(stats_.drains));
    count("switchyard_engine_events_total", "Commands and reports the engine took.",
          static_cast<double>(stats_.events));
    count("switchyard_engine_commits_total", "Transactions committed.",
          static_cast<double>(stats_.commits));
    count("switchyard_engine_rows_total", "Rows written.", static_cast<double>(stats_.rows));
    count("switchyard_engine_failed_commits_total",
          "Transactions that failed or whose outcome is unknown.",
          static_cast<double>(stats_.failed_commits));
    count("switchyard_engine_rebuilds_total", "Times the core was built from the store.",
          static_cast<double>(stats_.rebuilds));
  }

  const LiveView& live_;
  const EngineStats& stats_;
  Clock& clock_;
};

}  // namespace

ServiceMetrics::ServiceMetrics(prometheus::Registry& registry)
    : submitted_(&prometheus::BuildCounter()
                      .Name("switchyard_jobs_submitted_total")
                      .Help("Jobs whose acceptance was committed.")
                      .Register(registry)
                      .Add({})) {
  auto& ended = prometheus::BuildCounter()
                    .Name("switchyard_jobs_ended_total")
                    .Help("Jobs whose end was committed, by kind and final state.")
                    .Register(registry);
  for (const KindTraits& kind : AllKinds()) {
    for (const JobState state :
         {JobState::kSucceeded, JobState::kFailed, JobState::kCancelled, JobState::kExpired}) {
      ended_[{static_cast<uint16_t>(kind.field), state}] = &ended.Add(
          {{"kind", std::string(kind.name)},
           {"state", absl::AsciiStrToLower(v1::Job::State_Name(static_cast<int>(state)))}});
    }
  }
}

void ServiceMetrics::Ended(uint16_t kind, JobState state) {
  const auto found = ended_.find({kind, state});
  if (found != ended_.end()) found->second->Increment();
}

std::shared_ptr<prometheus::Collectable> MakeEngineMetrics(const LiveView& live,
                                                           const EngineStats& stats, Clock& clock) {
  return std::make_shared<EngineMetrics>(live, stats, clock);
}

}  // namespace switchyard::scheduler
