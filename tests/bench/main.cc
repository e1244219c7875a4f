// switchyard-bench: measures in one run, with one process configuration, what the README claims.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <set>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "scheduler/core/bench/decision.h"
#include "scheduler/store/postgres/testing/postgres_server.h"
#include "tests/bench/bare_commit.h"
#include "tests/bench/durable.h"
#include "tests/bench/echo.h"
#include "tests/bench/installation.h"
#include "tests/bench/report.h"
#include "tests/bench/river.h"

namespace switchyard::bench {
namespace {

struct Options {
  std::string json_file;
  std::string directory;
  std::string echo_file;  // Set in the echo server's own process.
  std::string river;      // Path of river-bench; empty: none.
  std::vector<std::string> only;
  uint64_t scale = 1;  // Everything this many times smaller.
  BatchOptions batch;
  SingleOptions single;
};

// Of two that are compared.
constexpr int kTurns = 7;

class Bench {
 public:
  Bench(Options options, std::string program)
      : options_(std::move(options)),
        program_(std::move(program)),
        binaries_(std::filesystem::path(program_).parent_path().string()) {}

  absl::Status Run() {
    const struct {
      const char* names;  // Rows it makes; the first is what --only takes.
      absl::Status (Bench::*measure)();
    } parts[] = {{"decision", &Bench::Decisions}, {"echo", &Bench::Echo},
                 {"commit", &Bench::Commits},     {"durable", &Bench::Durable},
                 {"postgres", &Bench::Postgres},  {"memory", &Bench::QueuedMemory}};
    for (const auto& part : parts) {
      if (!Wanted(part.names)) continue;
      if (absl::Status status = (this->*part.measure)(); !status.ok()) {
        return absl::Status(status.code(), absl::StrCat(part.names, ": ", status.message()));
      }
    }
    if (options_.json_file.empty()) return absl::OkStatus();
    return report_.WriteJson(options_.json_file);
  }

 private:
  bool Wanted(const std::string& name) const {
    return options_.only.empty() ||
           std::find(options_.only.begin(), options_.only.end(), name) != options_.only.end();
  }

  void Percentiles(const std::string& name, std::vector<double> times_ms, bool tails,
                   const std::string& conditions) {
    const std::string text = absl::StrCat(conditions, ", ", times_ms.size(), " times");
    report_.AddAndPrint({name + "_p50", Percentile(times_ms, 0.5), "ms", text});
    if (!tails) return;
    report_.AddAndPrint({name + "_p95", Percentile(times_ms, 0.95), "ms", text});
    report_.AddAndPrint({name + "_p99", Percentile(times_ms, 0.99), "ms", text});
  }

  absl::Status Decisions() {
    const auto row = [&](const char* name, uint64_t queued) {
      scheduler::DecisionBenchOptions options;
      options.queued = queued / options_.scale;
      options.decisions /= static_cast<uint32_t>(options_.scale);
      options.now_ns = [] { return absl::ToUnixNanos(absl::Now()); };
      const auto result = scheduler::MeasureDecisions(options);
      report_.AddAndPrint(
          {name, result.decision_us, "us",
           absl::StrCat("submit, place and complete one job; ", options.queued, " queued, ",
                        options.workers, " workers, ", options.tenants,
                        " tenants, random priorities; core alone, mean of ", options.decisions)});
    };
    row("decision_us_1k", 1000 * options_.scale);
    row("decision_us_1m", 1'000'000);
    return absl::OkStatus();
  }

  absl::Status Echo() {
    absl::StatusOr<std::vector<double>> times =
        MeasureEcho(program_, options_.directory, 5000 / options_.scale);
    if (!times.ok()) return times.status();
    Percentiles("grpc_echo_ms", *std::move(times), false,
                "unary, 200 bytes, two processes over loopback");
    return absl::OkStatus();
  }

  absl::Status Commits() {
    const auto times =
        MeasureBareCommits(options_.directory, static_cast<int>(2000 / options_.scale));
    if (!times.ok()) return times.status();
    std::vector<double> times_ms;
    for (const absl::Duration time : *times) times_ms.push_back(absl::ToDoubleMilliseconds(time));
    Percentiles("commit_ms", std::move(times_ms), false,
                "one insert, synced, the store alone on the same disk");
    return absl::OkStatus();
  }

  // Everything that goes through scheduler, worker and gateway: one set of processes.
  absl::Status Durable() {
    Installation installation(binaries_, options_.directory + "/durable");
    if (absl::Status status = Start(installation); !status.ok()) return status;
    // First calls of a process (connections, caches, learned run times) are not what is asked.
    BatchOptions warm_up = options_.batch;
    warm_up.jobs = 20'000 / options_.scale;
    if (auto rate = MeasureBatches(installation.scheduler(), warm_up); !rate.ok())
      return rate.status();
    auto round_trips = MeasureRoundTrips(installation.scheduler(), 3000 / options_.scale);
    if (!round_trips.ok()) return round_trips.status();
    Percentiles("durable_roundtrip_ms", *std::move(round_trips), true,
                "one noop of 200 bytes at a time, scheduler's port, submit to result on an open "
                "stream, both "
                "commits synced");
    const std::string batches = absl::StrCat(
        "noop of 200 bytes, ", options_.batch.jobs_per_call, " a call, ",
        options_.batch.calls_at_once,
        " calls at once, one CPU worker by Unix socket, synced, results read back and checked");
    const std::string singles =
        absl::StrCat("noop of 200 bytes, one a call, ", options_.single.callers,
                     " callers, synced, results read back and checked");
    for (const auto& [name, server, door] :
         {std::tuple{"durable_jobs_s_batch", installation.scheduler(), "scheduler's port, "},
          std::tuple{"durable_jobs_s_gateway", installation.gateway(), "gateway's gRPC port, "}}) {
      auto rate = MeasureBatches(server, options_.batch);
      if (!rate.ok()) return rate.status();
      report_.AddAndPrint({name, *rate, "jobs/s", door + batches});
    }
    for (const auto& [name, server, door] :
         {std::tuple{"durable_jobs_s_single", installation.scheduler(), "scheduler's port, "},
          std::tuple{"durable_jobs_s_gateway_single", installation.gateway(),
                     "gateway's gRPC port, "}}) {
      auto rate = MeasureSingles(server, options_.single);
      if (!rate.ok()) return rate.status();
      report_.AddAndPrint({name, *rate, "jobs/s", door + singles});
    }
    return absl::OkStatus();
  }

  absl::Status Start(Installation& installation) {
    if (absl::Status status = installation.StartScheduler(); !status.ok()) return status;
    if (absl::Status status = installation.StartGateway(); !status.ok()) return status;
    if (absl::Status status = installation.StartWorker(); !status.ok()) return status;
    const absl::Duration all =
        installation.scheduler_start() + installation.gateway_start() + installation.worker_start();
    const auto row = [&](const char* name, absl::Duration time, const char* conditions) {
      report_.AddAndPrint({name, absl::ToDoubleMilliseconds(time), "ms", conditions});
    };
    row("start_ms", all, "scheduler, gateway and worker one after the other, exec to serving");
    row("start_ms_scheduler", installation.scheduler_start(), "exec to its address file");
    row("start_ms_gateway", installation.gateway_start(), "exec to its address file");
    row("start_ms_worker", installation.worker_start(), "exec to attached");
    return absl::OkStatus();
  }

  // The same over PostgreSQL; with --river also River on the same server, in turns.
  absl::Status Postgres() {
    auto server = scheduler::PostgresServer::Start();
    if (absl::IsNotFound(server.status())) {
      std::cerr << "no rows of PostgreSQL: " << server.status().message() << std::endl;
      return absl::OkStatus();
    }
    if (!server.ok()) return server.status();
    Installation installation(binaries_, options_.directory + "/postgres",
                              absl::StrCat("postgres { uri: '", (*server)->uri(), "' }\n"));
    if (absl::Status status = installation.StartScheduler(); !status.ok()) return status;
    if (absl::Status status = installation.StartWorker(); !status.ok()) return status;
    BatchOptions warm_up = options_.batch;
    warm_up.jobs = 20'000 / options_.scale;
    if (auto rate = MeasureBatches(installation.scheduler(), warm_up); !rate.ok())
      return rate.status();
    std::vector<double> ours, theirs, ratios;
    const int turns = options_.river.empty() ? 1 : kTurns;
    for (int turn = 0; turn < turns; ++turn) {
      const auto rate = MeasureBatches(installation.scheduler(), options_.batch);
      if (!rate.ok()) return rate.status();
      ours.push_back(*rate);
      if (options_.river.empty()) break;
      const auto other = MeasureRiver(options_.river, (*server)->uri(), options_.batch);
      if (!other.ok()) return other.status();
      theirs.push_back(*other);
      ratios.push_back(*rate / *other);
    }
    AddTurns("durable_jobs_s_postgres", "jobs/s", std::move(ours),
             absl::StrCat("scheduler's port, noop of 200 bytes, ", options_.batch.jobs_per_call,
                          " a call, ", options_.batch.calls_at_once,
                          " calls at once, results read back and checked; PostgreSQL as installed, "
                          "fsync on, on this machine"));
    if (options_.river.empty()) return absl::OkStatus();
    AddTurns("river_jobs_s", "jobs/s", std::move(theirs),
             "the same number of noop jobs of 200 bytes inserted by COPY and worked 2,000 at once "
             "by a client of River on the same server; no results are kept");
    AddTurns("postgres_ratio", "x", std::move(ratios), "ours over River's of the same turn");
    return absl::OkStatus();
  }

  // Median, and the spread beside the conditions.
  void AddTurns(const std::string& name, const std::string& unit, std::vector<double> values,
                const std::string& conditions) {
    std::sort(values.begin(), values.end());
    const std::string spread = values.size() == 1 ? ""
                                                  : absl::StrFormat("; median of %d, %.1f to %.1f",
                                                                    static_cast<int>(values.size()),
                                                                    values.front(), values.back());
    report_.AddAndPrint({name, values[values.size() / 2], unit, conditions + spread});
  }

  // A scheduler without a worker, so that what comes in waits.
  absl::Status QueuedMemory() {
    Installation installation(binaries_, options_.directory + "/memory");
    if (absl::Status status = installation.StartScheduler(); !status.ok()) return status;
    BatchOptions batch = options_.batch;
    batch.jobs = 20'000;  // Buffers and caches of the way in.
    if (absl::Status status = SubmitBatches(installation.scheduler(), batch); !status.ok())
      return status;
    const int64_t before = installation.SchedulerResidentBytes();
    batch.jobs = 1'000'000 / options_.scale;
    if (absl::Status status = SubmitBatches(installation.scheduler(), batch); !status.ok())
      return status;
    const int64_t after = installation.SchedulerResidentBytes();
    report_.AddAndPrint({"bytes_per_queued_job",
                         static_cast<double>(after - before) / static_cast<double>(batch.jobs), "B",
                         absl::StrCat("growth of the scheduler's resident memory over ", batch.jobs,
                                      " noop jobs of 200 bytes that came in over gRPC, of one "
                                      "tenant (there are no keys yet)")});
    return absl::OkStatus();
  }

  const Options options_;
  const std::string program_;
  const std::string binaries_;
  Report report_;
};

}  // namespace
}  // namespace switchyard::bench

int main(int argc, char** argv) {
  using namespace switchyard::bench;  // NOLINT: a main wires.
  Options options;
  CLI::App app("Measures decisions, durable jobs, round trips, memory and start-up",
               "switchyard-bench");
  app.add_option("--json", options.json_file, "File the rows are written to as JSON");
  app.add_option("--data", options.directory,
                 "Folder for the run's data; its disk is the one measured");
  app.add_option("--only", options.only,
                 "Parts: decision, echo, commit, durable, postgres, memory");
  app.add_option("--river", options.river,
                 "Program built from tests/bench/river: compares with River on one PostgreSQL, in "
                 "seven turns");
  app.add_option("--scale-down", options.scale,
                 "Everything this many times smaller, for a quick look");
  app.add_option("--jobs", options.batch.jobs, "Jobs of a batch row");
  app.add_option("--jobs-per-call", options.batch.jobs_per_call, "Jobs in one batch");
  app.add_option("--calls-at-once", options.batch.calls_at_once, "Batches outstanding");
  app.add_option("--single-jobs", options.single.jobs, "Jobs of a single row");
  app.add_option("--callers", options.single.callers, "Single calls outstanding");
  app.add_option("--channels", options.single.channels, "Connections of the single calls");
  app.add_option("--serve-echo", options.echo_file)->group("");
  CLI11_PARSE(app, argc, argv);
  if (!options.echo_file.empty()) return ServeEcho(options.echo_file);
  if (options.directory.empty()) {
    options.directory =
        (std::filesystem::temp_directory_path() / absl::StrCat("switchyard-bench.", getpid()))
            .string();
  }
  std::filesystem::create_directories(options.directory);
  options.batch.jobs /= options.scale;
  options.single.jobs /= options.scale;
  const std::string directory = options.directory;
  Bench bench(std::move(options), std::filesystem::read_symlink("/proc/self/exe").string());
  const absl::Status status = bench.Run();
  std::error_code ignored;
  std::filesystem::remove(directory, ignored);  // Only when it is empty.
  if (status.ok()) return 0;
  std::cerr << "switchyard-bench: " << status.message() << std::endl;
  return 1;
}
