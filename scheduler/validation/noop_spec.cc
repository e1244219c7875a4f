#include "absl/strings/str_cat.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMostHoldSeconds = 3600;
constexpr uint32_t kMostSignal = 64;  // SIGRTMAX on Linux.

}  // namespace

void NormalizeNoop(v1::NoopSpec& spec, FieldFaults& faults) {
  if (spec.payload().size() > kMostInlineBytes) {
    faults.Add("noop.payload", absl::StrCat("must be at most ", kMostInlineBytes, " bytes; it has ",
                                            spec.payload().size()));
  }
  if (spec.fail_with().size() > kMostInlineBytes) {
    faults.Add("noop.fail_with", absl::StrCat("must be at most ", kMostInlineBytes, " bytes"));
  }
  if (spec.has_hold() && (!IsLength(spec.hold()) || spec.hold().seconds() > kMostHoldSeconds ||
                          (spec.hold().seconds() == kMostHoldSeconds && spec.hold().nanos() > 0))) {
    faults.Add("noop.hold", "must be 0 to 1 h");
  }
  if (spec.crash_signal() > kMostSignal)
    faults.Add("noop.crash_signal", "must be a signal number, 1 to 64");
}

}  // namespace switchyard::scheduler
