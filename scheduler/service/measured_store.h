// A JobStore that measures another one's commits; everything else is passed on. Keeps metrics out
// of engine and store.
//
// Thread-safety and errors are those of the store inside.
#pragma once

#include <memory>

#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "scheduler/store/forwarding_store.h"

namespace switchyard::scheduler {

class MeasuredStore final : public ForwardingStore {
 public:
  // switchyard_commit_seconds and switchyard_commit_rows, in `registry`, which outlives it.
  MeasuredStore(std::unique_ptr<JobStore> store, prometheus::Registry& registry);

  absl::Status Commit(uint64_t epoch, const WriteBatch& batch) override;

 private:
  const std::unique_ptr<JobStore> owned_;
  prometheus::Histogram& seconds_;
  prometheus::Histogram& rows_;
};

}  // namespace switchyard::scheduler
