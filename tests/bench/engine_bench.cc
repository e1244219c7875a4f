// What the scheduler's engine costs a job without any network: submitted in batches, placed on a
// worker that answers at once, its result committed. One thread, the SQLite store, every commit
// synced.
//
//   engine_bench [--benchmark_filter=...]      in the folder SWITCHYARD_BENCH_DIR, default the
//   current one
#include <stdlib.h>

#include <deque>
#include <filesystem>
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
  const char* set = getenv("SWITCHYARD_BENCH_DIR");
  std::string folder = std::string(set == nullptr ? "." : set) + "/engine_bench.XXXXXX";
  folder = mkdtemp(folder.data());
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

}  // namespace
}  // namespace switchyard::scheduler

BENCHMARK_MAIN();
