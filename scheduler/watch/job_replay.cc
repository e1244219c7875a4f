#include "scheduler/watch/job_replay.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

// Name of the outputs that hold an attempt's events: a sequence of length-delimited v1.JobEvent.
constexpr char kEventsOutput[] = "events";
// A job's log is bounded at 16 MiB by the worker.
constexpr int64_t kMostSegmentBytes = 32 * 1024 * 1024;

class Replayer {
 public:
  Replayer(const JobImage& image, ArtifactStore& artifacts, EventPosition& position)
      : image_(image), artifacts_(artifacts), position_(position) {}

  std::deque<v1::JobEvent> Run() {
    if (!image_.history.empty() && image_.history.front().number > position_.changes + 1) {
      Gap("older state changes are no longer kept");
    }
    for (const StateChange& change : image_.history) {
      // A change to RUNNING begins its attempt; every other one comes after what the attempt did.
      const bool begins = change.state == JobState::kRunning;
      TakeSegmentsUpTo(change.attempt - (begins && change.attempt > 0 ? 1 : 0));
      if (!position_.SeesChange(change.number)) {
        position_.changes = change.number;
        Add(StateEvent(image_, change));
      }
    }
    return std::move(events_);
  }

 private:
  void Add(v1::JobEvent event) {
    event.set_id(FormatEventId(position_));
    events_.push_back(std::move(event));
  }

  void Gap(absl::string_view reason) {
    v1::JobEvent event;
    event.mutable_gap()->set_reason(std::string(reason));
    Add(std::move(event));
  }

  void TakeSegmentsUpTo(uint32_t attempt) {
    for (; next_attempt_ <= attempt; ++next_attempt_) {
      bool any = false;
      for (const OutputArtifact& output : image_.outputs) {
        if (output.attempt != next_attempt_ || output.name != kEventsOutput) continue;
        TakeSegment(output);
        any = true;
      }
      if (!any && IsLost(next_attempt_) && position_.attempt <= next_attempt_) {
        Gap(absl::StrCat("attempt ", next_attempt_, " was lost before its log was stored"));
      }
    }
  }

  bool IsLost(uint32_t attempt) const {
    for (const AttemptImage& image : image_.attempts) {
      if (image.number == attempt) {
        return image.outcome == Outcome::kWorkerLost || image.outcome == Outcome::kRunnerLost;
      }
    }
    return false;
  }

  // Holes in the numbers are progress events, which are not stored; what the worker had to drop it
  // says by a gap event of its own.
  void TakeSegment(const OutputArtifact& output) {
    const absl::StatusOr<std::string> bytes =
        GetBytes(artifacts_, output.sha256, kMostSegmentBytes);
    if (!bytes.ok()) {
      return Gap(absl::StrCat("the log of attempt ", output.attempt,
                              " cannot be read: ", bytes.status().message()));
    }
    google::protobuf::io::ArrayInputStream in(bytes->data(), static_cast<int>(bytes->size()));
    v1::JobEvent event;
    bool end = false;
    // A segment that carries no ids begins the attempt.
    for (uint64_t counted = 1;
         google::protobuf::util::ParseDelimitedFromZeroCopyStream(&event, &in, &end); ++counted) {
      const std::optional<EventPosition> id = ParseEventId(event.id());
      const uint64_t sequence = event.id().empty() || !id ? counted : id->sequence;
      if (!position_.SeesEvent(output.attempt, sequence)) {
        position_.attempt = output.attempt;
        position_.sequence = sequence;
        Add(std::move(event));
      }
      event.Clear();
    }
    if (!end) Gap(absl::StrCat("the log of attempt ", output.attempt, " is damaged"));
  }

  const JobImage& image_;
  ArtifactStore& artifacts_;
  EventPosition& position_;
  uint32_t next_attempt_ = 1;
  std::deque<v1::JobEvent> events_;
};

}  // namespace

std::deque<v1::JobEvent> Replay(const JobImage& image, ArtifactStore& artifacts,
                                EventPosition& position) {
  return Replayer(image, artifacts, position).Run();
}

}  // namespace switchyard::scheduler
