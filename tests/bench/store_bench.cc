// How many rows a second the SQLite store commits, by rows in a commit; and how fast it loads live
// rows.
//
//   store_bench [--benchmark_filter=...]      in the folder SWITCHYARD_BENCH_DIR, default the
//   current one
//
// `jobs/s` counts a job's whole life: its insert in one commit and its end in a later one, with
// every index, checksum and sync of the product.
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "scheduler/store/sqlite_store.h"

namespace switchyard::scheduler {
namespace {

std::string BenchFolder() {
  const char* set = getenv("SWITCHYARD_BENCH_DIR");
  std::string folder = std::string(set == nullptr ? "." : set) + "/store_bench.XXXXXX";
  return mkdtemp(folder.data());
}

JobRow QueuedJob(JobId id, int tenants) {
  JobRow row;
  row.id = id;
  row.state = 2;
  row.priority = 5;
  row.record.assign(80, 'r');
  row.tenant = "tenant" + std::to_string(id % tenants);
  row.kind = 32;
  row.create_ms = 1'700'000'000'000;
  row.spec.assign(210, 's');
  return row;
}

JobUpdate EndedJob(JobId id) {
  JobUpdate row;
  row.id = id;
  row.state = 5;
  row.priority = 5;
  row.end_ms = 1'700'000'000'100;
  row.record.assign(380, 'r');
  return row;
}

// Arguments: jobs in a commit, tenants.
void InsertAndEnd(benchmark::State& state) {
  const int64_t jobs = state.range(0);
  const std::string folder = BenchFolder();
  {
    auto store = OpenSqliteStore({.directory = folder});
    const uint64_t epoch = *(*store)->BumpEpoch();
    JobId next = 1;
    WriteBatch batch;
    for (auto _ : state) {
      // Each commit ends the jobs of the one before.
      state.PauseTiming();
      batch.Clear();
      for (int64_t i = 0; i < jobs; ++i, ++next) {
        batch.inserts.push_back(QueuedJob(next, static_cast<int>(state.range(1))));
        if (next > static_cast<JobId>(jobs)) batch.updates.push_back(EndedJob(next - jobs));
      }
      state.ResumeTiming();
      const absl::Status status = (*store)->Commit(epoch, batch);
      if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
    }
  }
  state.SetItemsProcessed(state.iterations() * jobs);
  std::filesystem::remove_all(folder);
}
BENCHMARK(InsertAndEnd)
    ->Args({1, 1})
    ->Args({10, 1})
    ->Args({100, 1})
    ->Args({1000, 1})
    ->Args({1000, 100})
    ->UseRealTime()
    ->MinTime(2);

// Argument: live rows, of 100 tenants.
void LoadLive(benchmark::State& state) {
  const std::string folder = BenchFolder();
  {
    auto store = OpenSqliteStore({.directory = folder});
    const uint64_t epoch = *(*store)->BumpEpoch();
    WriteBatch batch;
    for (int64_t id = 1; id <= state.range(0); ++id) {
      batch.inserts.push_back(QueuedJob(id, 100));
      if (id % 10'000 != 0 && id != state.range(0)) continue;
      if (!(*store)->Commit(epoch, batch).ok()) state.SkipWithError("commit failed");
      batch.Clear();
    }
    for (auto _ : state) {
      int64_t rows = 0;
      const absl::Status status = (*store)->LoadLive([&](JobRow&) {
        ++rows;
        return absl::OkStatus();
      });
      if (!status.ok() || rows != state.range(0)) state.SkipWithError("load failed");
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  std::filesystem::remove_all(folder);
}
BENCHMARK(LoadLive)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

}  // namespace
}  // namespace switchyard::scheduler

BENCHMARK_MAIN();
