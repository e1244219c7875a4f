#include "common/metrics/metrics_page.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace switchyard {
namespace {

prometheus::MetricFamily Family(const char* name, const char* help, prometheus::MetricType type,
                                double value) {
  prometheus::MetricFamily family{name, help, type, {}};
  prometheus::ClientMetric metric;
  (type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
  return family;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return time.tv_sec + time.tv_usec * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Pages: virtual, then resident.
std::pair<double, double> MemoryPages() {
  double all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return {all, resident};
}

double OpenDescriptors() {
  std::error_code error;
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd", error), {});
}

// Field 22 of /proc/self/stat is the start in clock ticks since boot; btime of /proc/stat is the
// boot (proc(5)).
double StartTimeSeconds() {
  std::ifstream stat_file("/proc/self/stat");
  const std::string stat{std::istreambuf_iterator<char>(stat_file), {}};
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(stat.rfind(')') + 1), ' ');
  double ticks = 0, boot = 0;
  if (fields.size() > 20 && !absl::SimpleAtod(fields[20], &ticks)) ticks = 0;
  std::ifstream system("/proc/stat");
  for (std::string word; system >> word;) {
    if (word == "btime" && system >> boot) break;
  }
  return boot + ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class ProcessMetrics final : public prometheus::Collectable {
 public:
  ProcessMetrics(absl::string_view process, absl::string_view version)
      : process_(process), version_(version), start_seconds_(StartTimeSeconds()) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    using Type = prometheus::MetricType;
    const auto [all, resident] = MemoryPages();
    const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
    std::vector<prometheus::MetricFamily> families = {
        Family("process_cpu_seconds_total", "User and system time spent.", Type::Counter,
               CpuSeconds()),
        Family("process_resident_memory_bytes", "Resident memory.", Type::Gauge, resident * page),
        Family("process_virtual_memory_bytes", "Virtual memory.", Type::Gauge, all * page),
        Family("process_open_fds", "Open file descriptors.", Type::Gauge, OpenDescriptors()),
        Family("process_start_time_seconds", "Start, seconds since the Unix epoch.", Type::Gauge,
               start_seconds_),
        Family("switchyard_build_info", "Which process and version this is.", Type::Gauge, 1)};
    families.back().metric[0].label = {{"process", process_}, {"version", version_}};
    return families;
  }

 private:
  const std::string process_;
  const std::string version_;
  const double start_seconds_;
};

}  // namespace

std::string MetricsPage(const std::vector<std::shared_ptr<prometheus::Collectable>>& metrics) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& collectable : metrics) {
    std::vector<prometheus::MetricFamily> more = collectable->Collect();
    std::move(more.begin(), more.end(), std::back_inserter(families));
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::shared_ptr<prometheus::Collectable> MakeProcessMetrics(absl::string_view process,
                                                            absl::string_view version) {
  return std::make_shared<ProcessMetrics>(process, version);
}

}  // namespace switchyard
