#include "scheduler/service/update_limits.h"

#include "scheduler/validation/field_faults.h"
#include "scheduler/validation/names.h"

namespace switchyard::scheduler {
namespace {

constexpr uint32_t kMostRunning = 10'000;

LimitRule ReadLimit(const v1::Limit& limit, FieldFaults& faults) {
  if (!v1::JobClass_IsValid(limit.job_class()) || limit.job_class() == v1::JOB_CLASS_UNSPECIFIED) {
    faults.Add("job_class", "must be TRAINING, INFERENCE or GENERAL");
  }
  if (limit.max_running() > kMostRunning) faults.Add("max_running", "must be 0 to 10000");
  if (!limit.device().empty() && (limit.device() == "auto" || !IsDevice(limit.device()))) {
    faults.Add("device", "must be cpu, cuda, cuda:N or empty");
  }
  if (limit.job_class() == v1::GENERAL && !limit.device().empty()) {
    faults.Add("device", "must be empty for GENERAL, which counts per worker");
  }
  return {.worker = limit.worker(),
          .device = limit.device(),
          .job_class = static_cast<JobClass>(limit.job_class()),
          .max_running = limit.max_running()};
}

}  // namespace

absl::StatusOr<UpdateLimits> ReadUpdateLimits(const v1::UpdateLimitsRequest& request) {
  UpdateLimits command;
  FieldFaults set_faults("limits.limits");
  for (int i = 0; i < request.limits().limits_size(); ++i) {
    set_faults.SetIndex(i);
    command.set.push_back(ReadLimit(request.limits().limits(i), set_faults));
  }
  FieldFaults clear_faults("clear");
  for (int i = 0; i < request.clear_size(); ++i) {
    clear_faults.SetIndex(i);
    command.clear.push_back(ReadLimit(request.clear(i), clear_faults));
  }
  if (!set_faults.empty()) return set_faults.ToStatus();
  if (!clear_faults.empty()) return clear_faults.ToStatus();
  if (command.set.empty() && command.clear.empty()) {
    return InvalidField("limits", "must hold entries to set, or clear entries to remove");
  }
  return command;
}

}  // namespace switchyard::scheduler
