#include "scheduler/validation/job_spec.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/id/job_id.h"
#include "common/kind/kind.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/validation/names.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr int kMostDependencies = 256;
constexpr uint32_t kMostAttempts = 100;
constexpr int kMostLabels = 16;
constexpr uint32_t kMostDevices = 1024;
constexpr size_t kMostLabelBytes = 255;

void DropOutputOnly(v1::Job& job) {
  job.clear_id();
  job.clear_tenant();
  job.clear_state();
  job.clear_reason();
  job.clear_message();
  job.clear_phase();
  job.clear_progress();
  job.clear_error();
  job.clear_create_time();
  job.clear_start_time();
  job.clear_end_time();
  job.clear_attempts();
  job.clear_history();
  job.clear_timings();
  job.clear_outputs();
  job.clear_result();
  job.clear_pipeline();
  job.clear_step();
  job.clear_array();
  job.clear_array_index();
  job.clear_reused_from();
  job.clear_key();
  job.clear_explanation();
}

void FillCommonDefaults(const KindTraits& kind, v1::Job& job) {
  if (job.priority() == 0) job.set_priority(kind.default_priority);
  if (job.device().empty()) job.set_device("auto");
  if (!job.has_timeout() && kind.default_timeout != absl::InfiniteDuration()) {
    job.mutable_timeout()->set_seconds(absl::ToInt64Seconds(kind.default_timeout));
  }
}

void CheckTimes(const v1::Job& job, FieldFaults& faults) {
  // Times are not compared with the clock: a repeat of an accepted request must be judged as it was
  // the first time.
  if (job.has_not_before() && !IsTimestamp(job.not_before())) {
    faults.Add("not_before", "must be a time between the years 1 and 9999");
  }
  if (job.has_expire_time()) {
    const auto& expire = job.expire_time();
    if (!IsTimestamp(expire)) {
      faults.Add("expire_time", "must be a time between the years 1 and 9999");
    } else if (job.has_not_before() && expire.seconds() < job.not_before().seconds()) {
      faults.Add("expire_time", "must not be before not_before");
    }
  }
  if (job.has_timeout() && (!IsLength(job.timeout()) || IsZero(job.timeout()))) {
    faults.Add("timeout", "must be longer than 0");
  }
  if (job.has_no_progress_timeout() &&
      (!IsLength(job.no_progress_timeout()) || IsZero(job.no_progress_timeout()))) {
    faults.Add("no_progress_timeout", "must be longer than 0");
  }
}

void CheckDeviceCount(const v1::Job& job, const KindTraits& kind, FieldFaults& faults) {
  if (job.device_count() > kMostDevices) {
    faults.Add("device_count",
               absl::StrCat("must be at most ", kMostDevices, "; it is ", job.device_count()));
  } else if (job.device_count() > 1 && kind.job_class == v1::GENERAL) {
    faults.Add("device_count",
               absl::StrCat("must be unset for the kind ", kind.name, ", which needs no device"));
  }
}

// `#N`, or a job id.
bool IsDependency(absl::string_view text) {
  uint32_t index = 0;
  if (absl::ConsumePrefix(&text, "#")) return absl::SimpleAtoi(text, &index);
  return ParseJobId(text).has_value();
}

void CheckLinks(const v1::Job& job, FieldFaults& faults) {
  if (job.depends_on_size() > kMostDependencies) {
    faults.Add("depends_on", absl::StrCat("must be at most ", kMostDependencies, "; there are ",
                                          job.depends_on_size()));
  }
  for (const std::string& each : job.depends_on()) {
    if (!IsDependency(each)) {
      faults.Add("depends_on", absl::StrCat("must be ids of jobs, or in a batch #N for its job "
                                            "at index N; one is \"",
                                            Excerpt(each), "\""));
      break;
    }
  }
  if (job.max_attempts() > kMostAttempts) {
    faults.Add("max_attempts", absl::StrCat("must be at most ", kMostAttempts));
  }
}

void NormalizeKind(v1::Job& job, FieldFaults& faults) {
  switch (job.kind_case()) {
    case v1::Job::kNoop:
      return NormalizeNoop(*job.mutable_noop(), faults);
    case v1::Job::kTrain:
      return NormalizeTrain(*job.mutable_train(), faults);
    case v1::Job::kPredict:
      return NormalizePredict(*job.mutable_predict(), faults);
    case v1::Job::kCommand:
      return NormalizeCommand(*job.mutable_command(), faults);
    case v1::Job::KIND_NOT_SET:
      break;
  }
}

std::string KindNames() {
  std::string names;
  for (const KindTraits& kind : AllKinds())
    absl::StrAppend(&names, names.empty() ? "" : ", ", kind.name);
  return names;
}

absl::Status CheckScopes(const v1::Job& job, const SubmitRules& rules, const FieldFaults& faults) {
  const char* missing = !rules.commands                                      ? "commands"
                        : job.command().network() && !rules.commands_network ? "commands.network"
                                                                             : nullptr;
  if (!job.has_command() || missing == nullptr) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kPermissionDenied, "SCOPE_MISSING",
      absl::StrCat(faults.Path("command"), ": this caller's key lacks the scope ", missing,
                   "; use a key that has it (the operator's token of `switchyard up` does)"),
      {{"scope", missing}});
}

}  // namespace

void CheckPriority(uint32_t priority, FieldFaults& faults) {
  if (priority < 1 || priority > 9) {
    faults.Add("priority",
               absl::StrCat("must be 1 (most urgent) to 9, or unset; it is ", priority));
  }
}

void CheckLabels(const google::protobuf::Map<std::string, std::string>& labels,
                 FieldFaults& faults) {
  if (labels.size() > kMostLabels) {
    faults.Add("labels",
               absl::StrCat("must be at most ", kMostLabels, "; there are ", labels.size()));
  }
  for (const auto& [key, value] : labels) {
    if (faults.full()) return;
    if (!IsLabelKey(key))
      faults.Add("labels", absl::StrCat("key \"", key, "\" must be 1 to 63 of [a-z0-9._/-]"));
    if (value.size() > kMostLabelBytes) {
      faults.Add("labels", absl::StrCat("value of \"", key, "\" must be at most ", kMostLabelBytes,
                                        " bytes"));
    }
  }
}

void NormalizeJob(v1::Job& job, FieldFaults& faults) {
  const KindTraits* kind = FindKind(job.kind_case());
  if (kind == nullptr) {
    faults.Add("", absl::StrCat("must have exactly one kind set: ", KindNames()));
    return;
  }
  DropOutputOnly(job);
  FillCommonDefaults(*kind, job);
  CheckPriority(job.priority(), faults);
  if (!IsDevice(job.device()))
    faults.Add("device", absl::StrCat(kDeviceForm, "; it is \"", job.device(), "\""));
  if (!job.labels().empty()) CheckLabels(job.labels(), faults);
  CheckTimes(job, faults);
  CheckLinks(job, faults);
  CheckDeviceCount(job, *kind, faults);
  if (job.memory_bytes() < 0) {
    faults.Add("memory_bytes", "must be bytes a device, 0 or more; 0 leaves it to what is learned");
  }
  NormalizeKind(job, faults);
}

void BoundDefaultPriority(bool stated, uint32_t highest_priority, v1::Job& job) {
  if (!stated && job.priority() < highest_priority) job.set_priority(highest_priority);
}

absl::Status CheckPriorityAllowed(uint32_t priority, uint32_t highest_priority,
                                  const FieldFaults& faults) {
  if (priority >= highest_priority) return absl::OkStatus();
  const std::string asked = absl::StrCat(priority);
  const std::string highest = absl::StrCat(highest_priority);
  return MakeError(absl::StatusCode::kPermissionDenied, "PRIORITY_NOT_ALLOWED",
                   absl::StrCat(faults.Path("priority"), ": priority ", asked,
                                " is more urgent than this caller may ask for; ", highest,
                                " or less urgent is allowed"),
                   {{"priority", asked}, {"highest_priority", highest}});
}

absl::Status CheckAllowed(const v1::Job& job, const SubmitRules& rules, const FieldFaults& faults) {
  if (job.has_noop() && !rules.allow_noop) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "KIND_DISABLED",
        absl::StrCat(
            faults.Path("noop"),
            ": jobs of kind noop are switched off; set allow_noop: true in the scheduler's config"),
        {{"kind", "noop"}, {"setting", "allow_noop"}});
  }
  if (absl::Status status = CheckScopes(job, rules, faults); !status.ok()) return status;
  return CheckPriorityAllowed(job.priority(), rules.highest_priority, faults);
}

}  // namespace switchyard::scheduler
