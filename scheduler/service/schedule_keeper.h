// Fires schedules when they are due.
//
// A client of the engine like any other: it submits, and what it says of the schedule is stored in
// the same transaction, only if nobody has dealt with that due time before. So a due time fires
// once over restarts, failed commits and two schedulers. It works while this scheduler leads.
//
// Thread-safe. One thread of its own.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"
#include "scheduler/cron/cron.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/pipeline_keeper.h"
#include "switchyard/storage/v1/pipeline_record.pb.h"

namespace switchyard::scheduler {

inline constexpr char kScheduleCollection[] = "schedule";

absl::StatusOr<storage::v1::ScheduleRecord> ParseScheduleRecord(const DocumentRow& row);

// When the schedule is due; of a stored one without faults.
absl::StatusOr<Cron> CronOf(const storage::v1::ScheduleRecord& record);

class ScheduleKeeper {
 public:
  // Both are borrowed.
  ScheduleKeeper(const Backend& backend, PipelineKeeper& pipelines);
  // Waits for what is being fired.
  ~ScheduleKeeper();

  // A schedule was made, changed or removed.
  void Changed(const std::string& tenant, const std::string& name);

 private:
  using Name = std::pair<std::string, std::string>;  // Tenant, schedule.
  using Record = storage::v1::ScheduleRecord;
  void Run();
  // Notes when this scheduler begins and ceases to lead. False: it does not lead.
  bool Leads();
  bool WaitALittle();
  bool FindAll();
  // Reads it again and notes when it is due.
  void Read(const Name& name);
  // Deals with the last due time that has come. False: try again soon.
  bool Fire(const Name& name);
  absl::StatusOr<bool> StillRuns(const Record& record);
  absl::Status Submit(const Record& record, absl::Time due);
  absl::Status SubmitJob(const Record& record, const Principal& principal, absl::Time due);
  absl::Status SubmitPipeline(const Record& record, const Principal& principal, absl::Time due);
  absl::Status Skip(const Record& record, absl::Time due, const std::string& why, bool counts);
  absl::Status Post(Input input, const Record& before, absl::Time due, Record after,
                    const std::string& made);

  const Backend& backend_;
  PipelineKeeper& pipelines_;
  uint64_t term_ = 0;  // In which it works. The thread's own.
  bool found_ = false;  // All schedules were read in this term. The thread's own.
  Mutex mutex_;
  CondVar changed_;
  std::map<Name, absl::Time> due_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::scheduler
