// The /metrics page and what every process shows on it. Registries are injected; there is no global
// one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "prometheus/collectable.h"

namespace switchyard {

// Media type of MetricsPage.
inline constexpr char kMetricsMediaType[] = "text/plain; version=0.0.4; charset=utf-8";

// Collects all and writes them in Prometheus text format 0.0.4. Thread-safe as far as the
// collectables are.
std::string MetricsPage(const std::vector<std::shared_ptr<prometheus::Collectable>>& metrics);

// This process: process_cpu_seconds_total, process_resident_memory_bytes,
// process_virtual_memory_bytes, process_open_fds, process_start_time_seconds, and
// switchyard_build_info{process, version}. Thread-safe.
std::shared_ptr<prometheus::Collectable> MakeProcessMetrics(absl::string_view process,
                                                            absl::string_view version);

}  // namespace switchyard
