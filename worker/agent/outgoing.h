// What goes to the scheduler next: reports and events gather here while a message is on its way,
// and go out together.
//
// Not thread-safe: its owner locks.
#pragma once

#include <deque>

#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::worker {

class Outgoing {
 public:
  void Add(::switchyard::worker::v1::AttemptReport report) {
    reports_.push_back(std::move(report));
  }
  void Add(::switchyard::worker::v1::AttemptEvents events) { events_.push_back(std::move(events)); }
  void Clear() {
    reports_.clear();
    events_.clear();
  }
  bool empty() const { return reports_.empty() && events_.empty(); }

  // Moves out what fits into a message of about a mebibyte, at least one thing when there is any.
  // Reports wait until all events are out: an attempt's events come before its end.
  void TakeInto(::switchyard::worker::v1::WorkerDelta* delta) {
    constexpr size_t kMessageBytes = 1 << 20;
    size_t bytes = 0;
    while (!events_.empty() && bytes < kMessageBytes) {
      bytes += events_.front().ByteSizeLong();
      *delta->add_events() = std::move(events_.front());
      events_.pop_front();
    }
    while (!reports_.empty() && bytes < kMessageBytes) {
      // What else a report holds is small.
      constexpr size_t kReportBytes = 160;
      bytes += kReportBytes + reports_.front().finished().result().size();
      *delta->add_reports() = std::move(reports_.front());
      reports_.pop_front();
    }
  }

 private:
  std::deque<::switchyard::worker::v1::AttemptReport> reports_;
  std::deque<::switchyard::worker::v1::AttemptEvents> events_;
};

}  // namespace switchyard::worker
