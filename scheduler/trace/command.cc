#include "scheduler/trace/command.h"

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "scheduler/policy/limits.h"
#include "scheduler/trace/csv_reader.h"
#include "scheduler/trace/generator.h"
#include "scheduler/trace/job_log.h"
#include "scheduler/trace/published.h"
#include "scheduler/trace/report.h"
#include "scheduler/trace/rules.h"

namespace switchyard::scheduler {
namespace {

constexpr double kGibibyte = int64_t{1} << 30;
constexpr double kMicrosecondsPerSecond = 1e6;

struct Arguments {
  std::string trace;
  std::string replay;
  std::vector<std::string> workloads;
  uint64_t jobs = 50'000;
  std::vector<double> loads = {0.9};
  std::vector<uint64_t> seeds = {1};
  uint32_t workers = 0;  // 0: not said.
  uint32_t devices = 0;
  double device_memory_gib = 24;
  double restart_s = 60;
  std::vector<std::string> policies = PolicyNames();
  std::vector<std::string> limits;
  std::vector<std::string> weights;
  std::string write;
  bool json = false;
  bool progress = false;
};

void Describe(CLI::App& app, Arguments& arguments) {
  app.add_option("TRACE", arguments.trace,
                 "CSV file: arrival, duration, devices, memory, tenant, "
                 "priority [, kind, model, timeout, outcome]");
  app.add_option("--generate", arguments.workloads,
                 "Instead of a file: traces shaped on what was published of real clusters, by "
                 "commas: philly, helios, pai")
      ->delimiter(',');
  app.add_option("--replay", arguments.replay,
                 "Instead of a file: the jobs that a scheduler has stored in this data folder or "
                 "PostgreSQL database (postgresql://...[#SCHEMA]), under other --limits and "
                 "--weights")
      ->type_name("DIR|URI");
  app.add_option("--jobs", arguments.jobs, "Of a generated trace (default 50000)");
  app.add_option("--load", arguments.loads,
                 "Offered loads of generated traces, by commas: work that comes over what the "
                 "devices can do meanwhile (default 0.9)")
      ->delimiter(',');
  app.add_option("--seed", arguments.seeds, "Seeds of generated traces, by commas (default 1)")
      ->delimiter(',');
  app.add_option("--workers", arguments.workers, "Machines of the cluster (default 64)");
  app.add_option("--devices", arguments.devices, "Devices of each (default 8)");
  app.add_option("--device-memory", arguments.device_memory_gib, "GiB of each (default 24)");
  app.add_option("--restart-cost", arguments.restart_s,
                 "Seconds of device time a preempted job loses (default 60)");
  app.add_option("--policies", arguments.policies,
                 "By commas: ours, fifo, priority, easy (default: all)")
      ->delimiter(',');
  app.add_option("--limits", arguments.limits,
                 "Most attempts of a class on a device at once, by commas: [WORKER/][DEVICE/]"
                 "CLASS=N, as training=1 or cuda:0/inference=4")
      ->delimiter(',');
  app.add_option("--weights", arguments.weights, "Of tenants, by commas: TENANT=N (default 1)")
      ->delimiter(',');
  app.add_option("--write", arguments.write, "Only write the trace to this CSV file");
  app.add_flag("--json", arguments.json, "Print JSON, not a table");
  app.add_flag("--progress", arguments.progress, "Say how many jobs have come, on stderr");
}

constexpr uint32_t kDefaultWorkers = 64;
constexpr uint32_t kDefaultDevices = 8;
constexpr uint32_t kMostDevices = 1024;

// `log`: what is replayed; null: nothing.
absl::StatusOr<Cluster> MakeCluster(const Arguments& arguments, const JobLog* log,
                                    const std::vector<KindConfig>& kinds) {
  Cluster cluster;
  if (arguments.devices > kMostDevices) {
    return absl::InvalidArgumentError(absl::StrCat("--devices: at most ", kMostDevices));
  }
  cluster.workers = log == nullptr ? kDefaultWorkers : log->workers;
  cluster.devices_per_worker = log == nullptr ? kDefaultDevices : log->devices_per_worker;
  if (arguments.workers != 0) cluster.workers = arguments.workers;
  if (arguments.devices != 0) cluster.devices_per_worker = arguments.devices;
  cluster.gpus = log == nullptr || log->gpus;
  cluster.device_memory_bytes = static_cast<int64_t>(arguments.device_memory_gib * kGibibyte);
  cluster.restart_us = static_cast<int64_t>(arguments.restart_s * kMicrosecondsPerSecond);
  cluster.kinds = kinds;
  absl::StatusOr<std::vector<LimitRule>> limits = ParseLimits(arguments.limits);
  if (!limits.ok()) return limits.status();
  cluster.limits =
      MergeLimits(log == nullptr ? std::vector<LimitRule>() : log->limits, *limits, {});
  absl::StatusOr<std::map<std::string, uint32_t>> weights = ParseWeights(arguments.weights);
  if (!weights.ok()) return weights.status();
  cluster.weights = *std::move(weights);
  return cluster;
}

std::vector<Scenario> GeneratedScenarios(const Arguments& arguments, const Cluster& cluster) {
  std::vector<Scenario> scenarios;
  for (const std::string& workload : arguments.workloads) {
    for (const double load : arguments.loads) {
      for (const uint64_t seed : arguments.seeds) {
        GeneratorOptions options{.workload = workload,
                                 .jobs = arguments.jobs,
                                 .devices = cluster.devices(),
                                 .load = load,
                                 .seed = seed,
                                 .device_memory_bytes = cluster.device_memory_bytes};
        scenarios.push_back({absl::StrFormat("%s, load %g, seed %d", workload, load, seed),
                             [options] { return GenerateTrace(options); }});
      }
    }
  }
  return scenarios;
}

std::vector<Scenario> Scenarios(const Arguments& arguments, const std::shared_ptr<JobLog>& log,
                                const Cluster& cluster) {
  if (!arguments.workloads.empty()) return GeneratedScenarios(arguments, cluster);
  if (log != nullptr) {
    return {{absl::StrCat("replay of ", arguments.replay),
             [log]() -> absl::StatusOr<std::unique_ptr<TraceSource>> {
               return std::make_unique<ListedTrace>(log->jobs, log->tenants, log->kinds);
             }}};
  }
  const std::string path = arguments.trace;
  return {{path, [path] { return OpenCsvTrace(path); }}};
}

absl::Status Write(const std::vector<Scenario>& scenarios, const std::string& path) {
  if (scenarios.size() != 1) {
    return absl::InvalidArgumentError("--write takes one trace: one workload, load and seed");
  }
  absl::StatusOr<std::unique_ptr<TraceSource>> trace = scenarios[0].open();
  if (!trace.ok()) return trace.status();
  return WriteCsvTrace(**trace, path);
}

absl::Status CheckInput(const Arguments& arguments) {
  const int given =
      !arguments.trace.empty() + !arguments.workloads.empty() + !arguments.replay.empty();
  if (given == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("give one of: a TRACE, --generate, --replay");
}

absl::Status Simulate(const Arguments& arguments, const SimulateTools& tools, std::ostream& out) {
  if (absl::Status status = CheckInput(arguments); !status.ok()) return status;
  std::shared_ptr<JobLog> log;
  if (!arguments.replay.empty()) {
    absl::StatusOr<JobLog> opened = tools.open_log(arguments.replay);
    if (!opened.ok()) return opened.status();
    log = std::make_shared<JobLog>(*std::move(opened));
  }
  const absl::StatusOr<Cluster> cluster = MakeCluster(arguments, log.get(), tools.kinds);
  if (!cluster.ok()) return cluster.status();
  const std::vector<Scenario> scenarios = Scenarios(arguments, log, *cluster);
  if (!arguments.write.empty()) return Write(scenarios, arguments.write);
  std::vector<Comparison> comparisons;
  if (!arguments.json) out << TableHead();
  for (const Scenario& scenario : scenarios) {
    absl::StatusOr<Comparison> comparison =
        Compare(scenario, arguments.policies, *cluster, tools.probes);
    if (!comparison.ok()) return comparison.status();
    if (log != nullptr) comparison->results.push_back(log->recorded);
    if (!arguments.json) out << TableRows(*comparison) << std::flush;
    comparisons.push_back(*std::move(comparison));
  }
  if (arguments.json) {
    out << Json(comparisons);
    return absl::OkStatus();
  }
  out << "\n";
  if (log != nullptr && log->left_out > 0) {
    out << log->left_out << " stored jobs were left out: they never started or have not ended\n";
  }
  if (arguments.policies.size() > 1) {
    for (const Comparison& comparison : comparisons) out << Verdict(comparison);
  }
  return absl::OkStatus();
}

}  // namespace

int SimulateMain(int argc, const char* const* argv, const SimulateTools& tools, std::ostream& out,
                 std::ostream& errors) {
  constexpr int kWrongArguments = 2;
  CLI::App app(
      "Runs a trace of jobs through the scheduler's own policies and through published "
      "ones, and compares.",
      argv[0]);
  Arguments arguments;
  Describe(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, errors) == 0 ? 0 : kWrongArguments;
  }
  SimulateTools used = tools;
  if (arguments.progress) {
    used.probes.progress = [&errors](uint64_t jobs) {
      errors << jobs << " jobs have come" << std::endl;
    };
  }
  const absl::Status status = Simulate(arguments, used, out);
  if (status.ok()) return 0;
  errors << "simulate: " << status.message() << std::endl;
  return 1;
}

}  // namespace switchyard::scheduler
