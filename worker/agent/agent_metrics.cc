#include "worker/agent/agent_metrics.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "prometheus/metric_family.h"

namespace switchyard::worker {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Family(const char* name, const char* help, MetricType type) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void Add(MetricFamily* family, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family->type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family->metric.push_back(std::move(metric));
}

class AgentMetrics final : public prometheus::Collectable {
 public:
  explicit AgentMetrics(Agent& agent) : agent_(agent) {}

  std::vector<MetricFamily> Collect() const override {
    const AgentFigures figures = agent_.Figures();
    std::vector<MetricFamily> families;
    const auto gauge = [&families](const char* name, const char* help, double value) {
      Add(&families.emplace_back(Family(name, help, MetricType::Gauge)), value);
    };
    gauge("switchyard_worker_attached", "1 while the stream to the scheduler is open",
          figures.attached);
    gauge("switchyard_worker_ready", "1 while the serving runner answers", figures.ready);
    gauge("switchyard_worker_draining", "1 while the worker is being shut down", figures.draining);
    MetricFamily& attempts = families.emplace_back(
        Family("switchyard_worker_attempts", "Attempts here, by state", MetricType::Gauge));
    Add(&attempts, static_cast<double>(figures.held), {{"state", "held"}});
    Add(&attempts, static_cast<double>(figures.running), {{"state", "running"}});
    Add(&attempts, static_cast<double>(figures.unacknowledged), {{"state", "unacknowledged"}});
    MetricFamily& ended =
        families.emplace_back(Family("switchyard_worker_attempts_ended_total",
                                     "Attempts ended, by outcome", MetricType::Counter));
    for (size_t i = 1; i < figures.ended_by_outcome.size(); ++i) {
      const auto outcome = static_cast<::switchyard::v1::Attempt::Outcome>(i);
      Add(&ended, static_cast<double>(figures.ended_by_outcome[i]),
          {{"outcome", absl::AsciiStrToLower(::switchyard::v1::Attempt::Outcome_Name(outcome))}});
    }
    Add(&families.emplace_back(Family("switchyard_worker_runners_lost_total",
                                      "Runner processes that ended without being asked to",
                                      MetricType::Counter)),
        static_cast<double>(figures.runners_lost));
    return families;
  }

 private:
  Agent& agent_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> MakeAgentMetrics(Agent& agent) {
  return std::make_shared<AgentMetrics>(agent);
}

}  // namespace switchyard::worker
