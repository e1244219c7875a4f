#include "worker/agent/event_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::JobEvent;
using ::switchyard::v1::OutputArtifact;
using ::switchyard::worker::v1::AttemptEvents;

constexpr size_t kTailEvents = 256;
// What a record costs beside its bytes: the varint.
constexpr size_t kRecordOverhead = 4;

std::string EventId(uint32_t attempt, uint64_t sequence) {
  return absl::StrCat("0.", attempt, ".", sequence);
}

void AppendRecord(const std::string& bytes, std::string& segment) {
  google::protobuf::io::StringOutputStream stream(&segment);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.WriteVarint32(static_cast<uint32_t>(bytes.size()));
  out.WriteString(bytes);
}

}  // namespace

void EventLog::Append(AttemptEvents* events) {
  events->set_first_sequence(last_sequence_ + 1);
  for (JobEvent& event : *events->mutable_events()) {
    ++last_sequence_;
    if (event.has_progress()) continue;
    event.set_id(EventId(attempt_, last_sequence_));
    records_.push_back({last_sequence_, event.SerializeAsString()});
    event.clear_id();
    const size_t size = records_.back().bytes.size() + kRecordOverhead;
    bytes_ += size;
    unstored_bytes_ += size;
  }
  DropOldest();
}

// Whole segments go first. What is being stored stays: its records are counted on.
void EventLog::DropOldest() {
  while (bytes_ > limit_bytes_ && segments_.size() > replaces_) {
    for (; segments_.front().records > 0; --segments_.front().records) {
      bytes_ -= records_.front().bytes.size() + kRecordOverhead;
      records_.pop_front();
      ++dropped_;
    }
    segments_.pop_front();
    gap_changed_ = true;
  }
  // Nothing was stored of so much, because storing fails: memory is bounded all the same.
  while (bytes_ > 2 * limit_bytes_ && segments_.empty() && taken_.records == 0) {
    const size_t size = records_.front().bytes.size() + kRecordOverhead;
    bytes_ -= size;
    unstored_bytes_ -= size;
    records_.pop_front();
    ++dropped_;
    gap_changed_ = true;
  }
}

std::vector<std::string> EventLog::TakeSegments() {
  std::vector<std::string> segments;
  gap_taken_ = std::exchange(gap_changed_, false);
  if (gap_taken_) segments.push_back(GapSegment());
  taken_ = {};
  replaces_ = 0;
  if (unstored_bytes_ == 0) return segments;
  size_t records = records_.size();
  for (const Segment& segment : segments_) records -= segment.records;
  taken_ = {.records = records, .bytes = unstored_bytes_};
  while (replaces_ < segments_.size()) {
    const Segment& last = segments_[segments_.size() - 1 - replaces_];
    if (last.bytes > taken_.bytes || last.bytes + taken_.bytes > segment_bytes_) break;
    taken_.records += last.records;
    taken_.bytes += last.bytes;
    ++replaces_;
  }
  unstored_bytes_ = 0;
  std::string& segment = segments.emplace_back();
  segment.reserve(taken_.bytes);
  for (size_t i = records_.size() - taken_.records; i < records_.size(); ++i) {
    AppendRecord(records_[i].bytes, segment);
  }
  return segments;
}

void EventLog::Stored(std::vector<OutputArtifact> artifacts) {
  size_t next = 0;
  if (std::exchange(gap_taken_, false)) gap_ = std::move(artifacts[next++]);
  if (taken_.records != 0) {
    for (; replaces_ > 0; --replaces_) segments_.pop_back();
    taken_.artifact = std::move(artifacts[next]);
    segments_.push_back(std::exchange(taken_, {}));
  }
  DropOldest();
}

void EventLog::NotStored() {
  gap_changed_ = std::exchange(gap_taken_, false) || gap_changed_;
  size_t replaced = 0;
  for (size_t i = 0; i < replaces_; ++i) replaced += segments_[segments_.size() - 1 - i].bytes;
  unstored_bytes_ += taken_.bytes - replaced;
  replaces_ = 0;
  taken_ = {};
  DropOldest();
}

std::string EventLog::GapSegment() const {
  JobEvent gap;
  gap.set_id(EventId(attempt_, records_.empty() ? last_sequence_ : records_.front().sequence - 1));
  gap.mutable_gap()->set_reason(absl::StrCat("log over its limit of ", limit_bytes_, " bytes: the ",
                                             dropped_, " oldest events were dropped"));
  std::string segment;
  AppendRecord(gap.SerializeAsString(), segment);
  return segment;
}

std::vector<OutputArtifact> EventLog::Artifacts() const {
  std::vector<OutputArtifact> artifacts;
  if (gap_.has_value()) artifacts.push_back(*gap_);
  for (const Segment& segment : segments_) artifacts.push_back(segment.artifact);
  return artifacts;
}

AttemptEvents EventLog::Tail() const {
  AttemptEvents events;
  // Sequences must be without holes within a message; progress leaves holes, so take the unbroken
  // end.
  size_t begin = records_.size();
  while (
      begin > 0 && records_.size() - begin < kTailEvents &&
      (begin == records_.size() || records_[begin - 1].sequence + 1 == records_[begin].sequence)) {
    --begin;
  }
  if (begin == records_.size()) return events;
  events.set_first_sequence(records_[begin].sequence);
  for (size_t i = begin; i < records_.size(); ++i) {
    JobEvent* event = events.add_events();
    event->ParseFromString(records_[i].bytes);
    event->clear_id();
  }
  return events;
}

}  // namespace switchyard::worker
