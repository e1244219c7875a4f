#include "scheduler/trace/arrivals.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace switchyard::scheduler {
namespace {

constexpr uint64_t kJobsPerProgress = 100'000;

}  // namespace

absl::Status Arrivals::Advance() {
  const absl::StatusOr<bool> more = trace_.Next(job_);
  if (!more.ok()) return more.status();
  done_ = !*more;
  if (done_) return absl::OkStatus();
  ++taken_;
  if (probes_.progress && taken_ % kJobsPerProgress == 0) probes_.progress(taken_);
  return Check();
}

absl::Status Arrivals::Check() {
  while (kinds_.size() < trace_.kinds().size()) {
    const std::string& name = trace_.kinds()[kinds_.size()];
    const KindConfig* kind = FindKindConfig(cluster_, name);
    if (kind == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "job ", taken_, " of the trace is of kind \"", name, "\", which is unknown; there are: ",
          absl::StrJoin(cluster_.kinds, ", ", [](std::string* out, const KindConfig& known) {
            absl::StrAppend(out, known.name);
          })));
    }
    kinds_.push_back(kind);
    slots_.push_back(SlotsOf(cluster_, kind->job_class));
  }
  if (job_.devices > slots_[job_.kind]) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job ", taken_, " of the trace wants ", job_.devices, " devices at once; the cluster has ",
        slots_[job_.kind], ": give it more workers"));
  }
  if (job_.memory_bytes > cluster_.device_memory_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", taken_, " of the trace wants ", job_.memory_bytes,
                     " bytes on a device; devices have ", cluster_.device_memory_bytes,
                     ": see --device-memory"));
  }
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
