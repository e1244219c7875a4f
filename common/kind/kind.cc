#include "common/kind/kind.h"

namespace switchyard {
namespace {

const KindTraits kKinds[] = {
    {.name = "noop",
     .field = v1::Job::kNoop,
     .job_class = v1::INFERENCE,
     .default_priority = 3,
     .default_timeout = absl::Hours(1),
     .assumed_run_time = absl::Microseconds(10),
     .checkpoints = false,
     .own_runner = false,
     .default_memory_bytes = 0,
     .shrinks_batch = false,
     .reports_progress = false},
    {.name = "train",
     .field = v1::Job::kTrain,
     .job_class = v1::TRAINING,
     .default_priority = 5,
     .default_timeout = absl::InfiniteDuration(),
     .assumed_run_time = absl::ZeroDuration(),
     .checkpoints = true,
     .own_runner = true,
     .default_memory_bytes = 0,
     .shrinks_batch = true,
     .reports_progress = true},
    {.name = "predict",
     .field = v1::Job::kPredict,
     .job_class = v1::INFERENCE,
     .default_priority = 3,
     .default_timeout = absl::Hours(1),
     .assumed_run_time = absl::ZeroDuration(),
     .checkpoints = false,
     .own_runner = false,
     .default_memory_bytes = 0,
     .shrinks_batch = true,
     .reports_progress = true},
    // A user's own program may take all of its device, so it counts as a training; it may hang
    // without anybody knowing, so unlike a training it has a timeout by default; its `checkpoint`
    // folder makes it resumable. Few programs report progress: without any they are not stuck.
    {.name = "command",
     .field = v1::Job::kCommand,
     .job_class = v1::TRAINING,
     .default_priority = 5,
     .default_timeout = absl::Hours(24),
     .assumed_run_time = absl::ZeroDuration(),
     .checkpoints = true,
     .own_runner = true,
     .default_memory_bytes = 0,
     .shrinks_batch = false,
     .reports_progress = false},
};

}  // namespace

absl::Span<const KindTraits> AllKinds() { return kKinds; }

const KindTraits* FindKind(v1::Job::KindCase field) {
  for (const KindTraits& kind : kKinds) {
    if (kind.field == field) return &kind;
  }
  return nullptr;
}

const KindTraits* FindKind(absl::string_view name) {
  for (const KindTraits& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace switchyard
