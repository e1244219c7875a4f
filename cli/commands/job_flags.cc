#include "cli/commands/job_flags.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands/follow.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"
#include "cli/format/units.h"

namespace switchyard::cli {

void JobFlags::Add(Flags& flags) {
  flags.Number("--priority", &priority, "1 (most urgent) to 9");
  flags.Text("--device", &device, "auto, cpu, cuda or cuda:N");
  flags.List("--label", &labels, "KEY=VALUE; may be repeated");
  flags.Text("--timeout", &timeout, "Longest time one attempt may run: 90s, 5m, 1h30m");
  flags.Text("--expires-in", &expires_in, "Ends as EXPIRED when it has not ended by then");
  flags.Switch("-d,--detach", &detach, "Print the job's id and do not follow it");
  flags.Switch("--check", &check, "Check only: nothing is stored");
}

absl::Status JobFlags::Apply(v1::Job* job) const {
  if (priority.has_value()) job->set_priority(static_cast<uint32_t>(*priority));
  if (!device.empty()) job->set_device(device);
  for (const std::string& label : labels) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("--label: \"", label, "\" is not KEY=VALUE"));
    }
    (*job->mutable_labels())[label.substr(0, equals)] = label.substr(equals + 1);
  }
  if (!timeout.empty()) {
    absl::StatusOr<absl::Duration> duration = ParseDurationText("--timeout", timeout);
    if (!duration.ok()) return duration.status();
    *job->mutable_timeout() = ToProto(*duration);
  }
  if (!expires_in.empty()) {
    absl::StatusOr<absl::Duration> duration = ParseDurationText("--expires-in", expires_in);
    if (!duration.ok()) return duration.status();
    const absl::Time end = absl::Now() + *duration;
    job->mutable_expire_time()->set_seconds(absl::ToUnixSeconds(end));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> JobFlags::Submit(Session& session, v1::Job job) const {
  if (absl::Status status = Apply(&job); !status.ok()) return status;
  v1::CreateJobRequest request;
  *request.mutable_job() = std::move(job);
  request.set_request_id(NewRequestId());
  request.set_validate_only(check);
  absl::StatusOr<v1::Job> accepted = session.client().CreateJob(request);
  if (!accepted.ok()) return accepted.status();
  if (check) {
    session.out << (session.json ? ToJsonText(*accepted) : "the job would be accepted\n");
    return ExitCode::kOk;
  }
  if (session.json) {
    session.out << (detach ? ToJsonText(*accepted) : "");
  } else {
    session.out << (detach ? "" : "job ") << accepted->id() << "\n" << std::flush;
  }
  return detach ? ExitCode::kOk : FollowToEnd(session, accepted->id(), {});
}

}  // namespace switchyard::cli
