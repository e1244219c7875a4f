#include "scheduler/service/measured_store.h"

#include <chrono>

namespace switchyard::scheduler {

MeasuredStore::MeasuredStore(std::unique_ptr<JobStore> store, prometheus::Registry& registry)
    : ForwardingStore(*store),
      owned_(std::move(store)),
      seconds_(prometheus::BuildHistogram()
                   .Name("switchyard_commit_seconds")
                   .Help("Time of a commit, synced.")
                   .Register(registry)
                   .Add({}, prometheus::Histogram::BucketBoundaries{0.0001, 0.00025, 0.0005, 0.001,
                                                                    0.0025, 0.005, 0.01, 0.025,
                                                                    0.05, 0.1, 0.25, 1})),
      rows_(prometheus::BuildHistogram()
                .Name("switchyard_commit_rows")
                .Help("Rows written in one commit: what a drain of the engine changed.")
                .Register(registry)
                .Add({}, prometheus::Histogram::BucketBoundaries{1, 3, 10, 30, 100, 300, 1000, 3000,
                                                                 10000})) {}

absl::Status MeasuredStore::Commit(uint64_t epoch, const WriteBatch& batch) {
  const auto begin = std::chrono::steady_clock::now();
  absl::Status status = store_.Commit(epoch, batch);
  seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  rows_.Observe(static_cast<double>(batch.rows()));
  return status;
}

}  // namespace switchyard::scheduler
