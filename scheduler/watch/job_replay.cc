#include "scheduler/watch/job_replay.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

// An attempt's log is bounded at 16 MiB by the worker.
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
    // What the attempt under way has stored so far; the hub goes on from there.
    if (!HasEnded(image_.state) && !image_.history.empty()) {
      TakeSegmentsUpTo(image_.history.back().attempt);
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
      TellWhatIsMissing(next_attempt_, any);
    }
  }

  void TellWhatIsMissing(uint32_t attempt, bool any) {
    if (position_.attempt > attempt) return;
    const Outcome outcome = OutcomeOf(attempt);
    if (outcome == Outcome::kWorkerLost && any) {
      return Gap(absl::StrCat("what attempt ", attempt,
                              " told last was lost with its worker, before it was stored"));
    }
    if (any) return;
    if (outcome == Outcome::kWorkerLost || outcome == Outcome::kRunnerLost) {
      return Gap(absl::StrCat("attempt ", attempt, " was lost before its log was stored"));
    }
    if (attempt > 0 && attempt < OldestKept()) {
      Gap(absl::StrCat("the log of attempt ", attempt, " is no longer kept"));
    }
  }

  Outcome OutcomeOf(uint32_t attempt) const {
    for (const AttemptImage& image : image_.attempts) {
      if (image.number == attempt) return image.outcome;
    }
    return Outcome::kUnspecified;
  }

  // The attempt from which on segments are kept, once older ones had to go; 0: all are.
  uint32_t OldestKept() const {
    size_t segments = 0;
    uint32_t oldest = 0;
    for (const OutputArtifact& output : image_.outputs) {
      if (output.name != kEventsOutput) continue;
      if (segments++ == 0) oldest = output.attempt;
    }
    return segments >= kEventSegmentsKept ? oldest : 0;
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
