#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

struct Mask {
  bool priority = false;
  bool labels = false;
};

absl::StatusOr<Mask> ReadMask(const v1::UpdateJobRequest& request) {
  Mask mask;
  if (!request.has_update_mask() || request.update_mask().paths().empty()) {
    mask.priority = request.job().priority() != 0;
    mask.labels = !request.job().labels().empty();
    if (!mask.priority && !mask.labels)
      return InvalidField("update_mask", "names nothing to change; priority and labels can be");
    return mask;
  }
  for (const std::string& path : request.update_mask().paths()) {
    if (path == "priority") {
      mask.priority = true;
    } else if (path == "labels") {
      mask.labels = true;
    } else {
      return InvalidField(
          "update_mask",
          absl::StrCat("\"", Excerpt(path), "\" cannot be changed; priority and labels can be"));
    }
  }
  return mask;
}

absl::StatusOr<UpdateJob> MakeCommand(const v1::UpdateJobRequest& request,
                                      const Principal& principal) {
  const absl::StatusOr<JobId> id = ReadJobId(request.job().id(), "job.id");
  if (!id.ok()) return id.status();
  FieldFaults faults("job");
  const absl::StatusOr<Mask> mask = ReadMask(request);
  if (!mask.ok()) return mask.status();
  if (mask->labels) CheckLabels(request.job().labels(), faults);
  if (mask->priority) CheckPriority(request.job().priority(), faults);
  if (!faults.empty()) return faults.ToStatus();
  if (mask->priority) {
    const absl::Status allowed =
        CheckPriorityAllowed(request.job().priority(), principal.highest_priority, faults);
    if (!allowed.ok()) return allowed;
  }
  UpdateJob command;
  command.job = *id;
  if (mask->priority) command.priority = static_cast<uint8_t>(request.job().priority());
  if (mask->labels) command.labels = EncodeLabels(request.job());
  return command;
}

}  // namespace

grpc::ServerUnaryReactor* JobService::UpdateJob(grpc::CallbackServerContext* context,
                                                const v1::UpdateJobRequest* request,
                                                v1::Job* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<scheduler::UpdateJob> command = MakeCommand(*request, *principal);
  if (!command.ok()) return FinishWith(*context, command.status());
  return RunJobCommand(backend_, *context, *principal, "UpdateJob", *request,
                       Event(std::move(*command)), response);
}

}  // namespace switchyard::scheduler
