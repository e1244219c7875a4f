#include "worker/tasks/noop/noop.h"

#include <signal.h>
#include <unistd.h>

#include "common/status/error.h"

namespace switchyard::worker {
namespace {

class NoopTask final : public TimedTask {
 public:
  absl::StatusOr<TimedPlan> Begin(const ::switchyard::v1::Job& job,
                                  const ::switchyard::worker::v1::AttemptRef& ref) override {
    spec_ = &job.noop();
    crashes_ = spec_->crash_signal() != 0 && ref.attempt() <= spec_->crash_attempts();
    return TimedPlan{
        .hold = absl::Seconds(spec_->hold().seconds()) + absl::Nanoseconds(spec_->hold().nanos()),
        .announce_first = crashes_};
  }

  absl::StatusOr<::switchyard::v1::Job> Finish() override {
    if (crashes_) kill(getpid(), static_cast<int>(spec_->crash_signal()));
    if (!spec_->fail_with().empty()) {
      return MakeError(absl::StatusCode::kFailedPrecondition, "NOOP_FAILED", spec_->fail_with());
    }
    ::switchyard::v1::Job result;
    result.mutable_noop_result()->set_payload(spec_->payload());
    return result;
  }

 private:
  const ::switchyard::v1::NoopSpec* spec_ = nullptr;
  bool crashes_ = false;
};

}  // namespace

std::unique_ptr<TimedTask> MakeNoopTask() { return std::make_unique<NoopTask>(); }

}  // namespace switchyard::worker
