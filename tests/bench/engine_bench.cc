// What the scheduler's engine costs a job without any network: submitted in batches, placed on a
// worker that answers at once, its result committed. One thread, the SQLite store, every commit
// synced.
//
//   engine_bench [--benchmark_filter=...]      in the folder SWITCHYARD_BENCH_DIR, default the
//   current one
#include <stdlib.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/engine/engine.h"
#include "scheduler/store/sqlite_store.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {
namespace {

constexpr uint64_t kSession = 1;

// A worker that has run everything by the time it is asked, and says so in one message.
class InstantWorker final : public EngineOutput {
 public:
  void Send(uint64_t, SessionOutput output) override {
    for (const Assignment& assignment : output.assignments) {
      Finished finished{.outcome = Outcome::kSucceeded, .result = std::string(210, 'r')};
      finished.start_us = finished.end_us = 1'700'000'000'000'000;
      finished.device = "cpu";
      finished.device_name = "a processor";
      reports.push_back({assignment.attempt.ref, std::move(finished)});
    }
  }
  void Publish(absl::Span<const JobNotice>) override {}
  void Rebuilt(uint64_t) override {}

  std::vector<AttemptReport> reports;
};

std::string BenchFolder() {
  const char* set = getenv("SWITCHYARD_BENCH_DIR");
  std::string folder = std::string(set == nullptr ? "." : set) + "/engine_bench.XXXXXX";
  return mkdtemp(folder.data());
}

Input Batch(int64_t jobs, int64_t& answered) {
  v1::Job job;
  job.set_priority(5);
  job.set_device("auto");
  job.mutable_noop()->set_payload(std::string(200, 'p'));
  Input input;
  SubmitJobs submit;
  submit.jobs.resize(jobs, NewJob{.kind = v1::Job::kNoop});
  input.event = std::move(submit);
  input.specs.resize(jobs, job.SerializeAsString());
  input.tenant = "default";
  input.done = [&answered](CommandResult result) {
    if (result.status.ok()) answered += result.job_count;
  };
  return input;
}

// Argument: jobs in a batch.
void JobsThroughTheEngine(benchmark::State& state) {
  const std::string folder = BenchFolder();
  int64_t done = 0;
  {
    auto store = OpenSqliteStore({.directory = folder});
    InstantWorker worker;
    EngineOptions options;
    options.core.kinds = CoreKinds();
    options.log = false;
    Engine engine(options, **store, SystemClock(), worker);
    if (!engine.Start().ok()) state.SkipWithError("the engine does not start");
    std::deque<Input> inbox;
    inbox.emplace_back().event = WorkerAttached{.session = kSession,
                                                .worker = "w",
                                                .incarnation = "a",
                                                .devices = {{.device = "cpu"}},
                                                .kinds = {"noop"}};
    int64_t accepted = 0;
    for (auto _ : state) {
      inbox.push_back(Batch(state.range(0), accepted));
      do {
        if (!worker.reports.empty()) {
          done += static_cast<int64_t>(worker.reports.size());
          WorkerReports reports{.session = kSession, .reports = std::move(worker.reports)};
          worker.reports.clear();
          inbox.emplace_back().event = std::move(reports);
        }
        engine.Drain(inbox);
      } while (!inbox.empty() || !worker.reports.empty());
    }
    const EngineStats& stats = engine.stats();
    state.counters["rows_per_job"] = static_cast<double>(stats.rows) / static_cast<double>(done);
    state.counters["jobs_per_commit"] =
        static_cast<double>(done) / static_cast<double>(stats.commits);
    state.counters["commit_share"] = benchmark::Counter(static_cast<double>(stats.commit_us) * 1e-6,
                                                        benchmark::Counter::kIsRate);
  }
  state.SetItemsProcessed(done);
  std::filesystem::remove_all(folder);
}
BENCHMARK(JobsThroughTheEngine)->Arg(1)->Arg(100)->Arg(1000)->Arg(4000)->UseRealTime()->MinTime(2);

int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0;
  int64_t resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// A backlog nobody works on: what it costs in memory, and how long a start with it takes. Argument:
// jobs, of 100 tenants.
void StartWithABacklog(benchmark::State& state) {
  const std::string folder = BenchFolder();
  {
    auto store = OpenSqliteStore({.directory = folder});
    InstantWorker nobody;
    EngineOptions options;
    options.core.kinds = CoreKinds();
    options.log = false;
    std::deque<Input> inbox;
    int64_t accepted = 0;
    {
      Engine engine(options, **store, SystemClock(), nobody);
      if (!engine.Start().ok()) state.SkipWithError("the engine does not start");
      const int64_t before = ResidentBytes();
      while (accepted < state.range(0)) {
        inbox.push_back(Batch(1000, accepted));
        inbox.back().tenant = "tenant" + std::to_string(accepted / 1000 % 100);
        engine.Drain(inbox);
      }
      state.counters["bytes_per_job"] =
          static_cast<double>(ResidentBytes() - before) / static_cast<double>(accepted);
    }
    for (auto _ : state) {
      Engine engine(options, **store, SystemClock(), nobody);
      if (!engine.Start().ok()) state.SkipWithError("the engine does not start");
    }
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(StartWithABacklog)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(2);

}  // namespace
}  // namespace switchyard::scheduler

BENCHMARK_MAIN();
