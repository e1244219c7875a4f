// Goes on with pipelines whose steps are fanned out over lists that earlier steps make: when such a
// step has succeeded, its list becomes jobs.
//
// A client of the engine like any other: it looks at documents and jobs in the store and submits.
// Twice the same is once: a submit holds only for the document as it was read. It works while this
// scheduler leads, and looks through all pipelines once whenever that begins.
//
// Thread-safe. One thread of its own.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "common/sync/mutex.h"
#include "scheduler/pipeline/expansion.h"
#include "scheduler/service/backend.h"
#include "switchyard/storage/v1/pipeline_record.pb.h"

namespace switchyard::scheduler {

class PipelineKeeper {
 public:
  // `backend` is borrowed.
  explicit PipelineKeeper(const Backend& backend);
  // Waits for a look that is under way.
  ~PipelineKeeper();

  // A pipeline was made or resumed that has steps without jobs.
  void Watch(const std::string& tenant, const std::string& id);

 private:
  using Name = std::pair<std::string, std::string>;  // Tenant, id.
  struct Watched {
    absl::Duration next_look;  // BootTime.
    absl::Duration pause;
  };
  void Run();
  void FindAll();
  // Notes when this scheduler begins and ceases to lead. False: it does not lead.
  bool Leads();
  absl::Duration LookAtDue();
  // False: there is nothing more to wait for.
  bool Look(const Name& name);
  void Expand(const Name& name, const storage::v1::PipelineRecord& record);
  KnownItems Known(const storage::v1::PipelineRecord& record, const PipelinePlan& plan);
  void Post(Input input);
  void StoreError(const storage::v1::PipelineRecord& record, const absl::Status& error);

  const Backend& backend_;
  uint64_t term_ = 0;  // In which all were looked through. The thread's own.
  Mutex mutex_;
  CondVar changed_;
  std::map<Name, Watched> watched_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::scheduler
