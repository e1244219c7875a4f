#include "worker/agent/event_log.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::JobEvent;
using ::switchyard::worker::v1::AttemptEvents;

constexpr size_t kTailEvents = 256;
// What a record costs beside its bytes: the varint.
constexpr size_t kRecordOverhead = 4;

std::string EventId(uint32_t attempt, uint64_t sequence) {
  return absl::StrCat("0.", attempt, ".", sequence);
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
    bytes_ += records_.back().bytes.size() + kRecordOverhead;
  }
  while (bytes_ > limit_bytes_ && !records_.empty()) {
    bytes_ -= records_.front().bytes.size() + kRecordOverhead;
    records_.pop_front();
    ++dropped_;
  }
}

std::string EventLog::Segment() const {
  std::string segment;
  segment.reserve(bytes_);
  google::protobuf::io::StringOutputStream stream(&segment);
  google::protobuf::io::CodedOutputStream out(&stream);
  const auto write = [&out](const std::string& bytes) {
    out.WriteVarint32(static_cast<uint32_t>(bytes.size()));
    out.WriteString(bytes);
  };
  if (dropped_ != 0 && !records_.empty()) {
    JobEvent gap;
    gap.set_id(EventId(attempt_, records_.front().sequence - 1));
    gap.mutable_gap()->set_reason(absl::StrCat("log over its limit of ", limit_bytes_,
                                               " bytes: the ", dropped_,
                                               " oldest events were dropped"));
    write(gap.SerializeAsString());
  }
  for (const Record& record : records_) write(record.bytes);
  return segment;
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
