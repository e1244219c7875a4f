#include "worker/runner/runner_context.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/id/job_id.h"
#include "worker/report/report.h"

namespace switchyard::worker {

using ::switchyard::worker::v1::Assignment;

namespace {

constexpr size_t kLongestLine = 8 << 10;  // LogLine.text.

GangPlace PlaceOf(const Assignment& assignment) {
  GangPlace place;
  place.devices.assign(assignment.devices().begin(), assignment.devices().end());
  if (!assignment.has_gang()) return place;
  const ::switchyard::worker::v1::Gang& gang = assignment.gang();
  place.size = gang.size();
  place.rank = gang.rank();
  place.members = gang.members();
  place.member = gang.member();
  place.rendezvous = gang.rendezvous();
  return place;
}

// At most `limit` bytes, not cutting a UTF-8 character.
absl::string_view Cut(absl::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace

RunnerContext::RunnerContext(const RunnerSurroundings& surroundings, const Assignment& assignment)
    : surroundings_(surroundings),
      attempt_(KeyOf(assignment.ref())),
      work_dir_(absl::StrCat(surroundings.work_dir, "/", FormatJobId(attempt_.job), ".",
                             attempt_.attempt, ".", attempt_.epoch, ".", attempt_.counter)),
      gang_(PlaceOf(assignment)),
      memory_limit_bytes_(assignment.memory_bytes()),
      memory_(surroundings.meter ? surroundings.meter(memory_limit_bytes_)
                                 : std::make_unique<AttemptMemory>()) {
  progress_.set_phase(api::Job::PREPARING);
}

void RunnerContext::RequestStop(bool preempted, absl::Duration kill_at) {
  if (stop_requested_) return;
  preempted_ = preempted;
  kill_at_ns_ = absl::ToInt64Nanoseconds(kill_at);
  stop_requested_ = true;  // Last: who sees it sees the others.
}

absl::Duration RunnerContext::GraceLeft() const {
  if (!stop_requested_) return absl::InfiniteDuration();
  const absl::Duration left =
      absl::Nanoseconds(kill_at_ns_.load()) - surroundings_.clock.BootTime();
  return std::max(absl::ZeroDuration(), left);
}

void RunnerContext::NoteMemoryPeak(int64_t bytes) {
  noted_peak_bytes_ = std::max<int64_t>(noted_peak_bytes_, bytes);
}

int64_t RunnerContext::memory_peak_bytes() const {
  return std::max<int64_t>(noted_peak_bytes_, memory_->peak_bytes());
}

void RunnerContext::RemoveWorkDir() {
  std::error_code ignored;
  std::filesystem::remove_all(work_dir_, ignored);
}

const std::string& RunnerContext::work_dir() const {
  // A folder that cannot be made shows when the executor opens a file in it, with the path in the
  // error.
  std::call_once(work_dir_made_, [this] {
    std::error_code ignored;
    std::filesystem::create_directories(work_dir_, ignored);
  });
  return work_dir_;
}

std::vector<api::OutputArtifact> RunnerContext::TakeOutputs() {
  MutexLock lock(mutex_);
  return std::exchange(outputs_, {});
}

api::JobEvent RunnerContext::NewEvent() const {
  api::JobEvent event;
  *event.mutable_time() = TimestampOf(surroundings_.clock.Now());
  return event;
}

void RunnerContext::SetPhase(api::Job::Phase phase) {
  api::JobEvent event = NewEvent();
  MutexLock lock(mutex_);
  progress_.set_phase(phase);
  *event.mutable_progress() = progress_;
  surroundings_.outbox.Event(attempt_, std::move(event));
}

void RunnerContext::Progress(double fraction, absl::string_view message) {
  api::JobEvent event = NewEvent();
  MutexLock lock(mutex_);
  progress_.set_fraction(fraction);
  progress_.set_message(std::string(message));
  *event.mutable_progress() = progress_;
  surroundings_.outbox.Event(attempt_, std::move(event));
}

void RunnerContext::Log(api::LogLine::Severity severity, absl::string_view text) {
  api::JobEvent event = NewEvent();
  event.mutable_log()->set_severity(severity);
  event.mutable_log()->set_text(std::string(Cut(text, kLongestLine)));
  surroundings_.outbox.Event(attempt_, std::move(event));
}

void RunnerContext::Metric(absl::string_view name, uint64_t step, double value) {
  api::JobEvent event = NewEvent();
  event.mutable_metric()->set_name(std::string(name));
  event.mutable_metric()->set_step(step);
  event.mutable_metric()->set_value(value);
  surroundings_.outbox.Event(attempt_, std::move(event));
}

void RunnerContext::AddOutput(api::OutputArtifact output) {
  output.set_attempt(attempt_.attempt);
  MutexLock lock(mutex_);
  outputs_.push_back(std::move(output));
}

void RunnerContext::ReportCheckpoint(api::OutputArtifact checkpoint) {
  checkpoint.set_attempt(attempt_.attempt);
  ::switchyard::worker::v1::AttemptReport report;
  *report.mutable_ref() = RefOf(attempt_);
  *report.mutable_checkpoint()->mutable_artifact() = std::move(checkpoint);
  surroundings_.outbox.Report(std::move(report));
}

}  // namespace switchyard::worker
