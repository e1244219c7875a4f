#include "worker/runner/outbox.h"

#include <utility>

namespace switchyard::worker {

using ::switchyard::worker::v1::AttemptEvents;
using ::switchyard::worker::v1::AttemptReport;
using ::switchyard::worker::v1::FromRunner;

Outbox::Outbox(FrameSender& sender, Clock& clock)
    : sender_(sender), clock_(clock), thread_([this] { Run(); }) {}

Outbox::~Outbox() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

void Outbox::Report(AttemptReport report) {
  FromRunner frame;
  *frame.add_reports() = std::move(report);
  MutexLock lock(mutex_);
  SendLocked(std::move(frame));
}

void Outbox::Reports(std::vector<AttemptReport> reports) {
  FromRunner frame;
  frame.mutable_reports()->Reserve(static_cast<int>(reports.size()));
  for (AttemptReport& report : reports) *frame.add_reports() = std::move(report);
  MutexLock lock(mutex_);
  SendLocked(std::move(frame));
}

void Outbox::Answer(const ::switchyard::worker::v1::Health& health) {
  FromRunner frame;
  *frame.mutable_health() = health;
  MutexLock lock(mutex_);
  SendLocked(std::move(frame));
}

void Outbox::Serving(const ::switchyard::worker::v1::ServingState& state) {
  FromRunner frame;
  *frame.mutable_serving() = state;
  MutexLock lock(mutex_);
  SendLocked(std::move(frame));
}

void Outbox::Event(const AttemptKey& attempt, ::switchyard::v1::JobEvent event) {
  MutexLock lock(mutex_);
  Waiting& waiting = waiting_[attempt];
  if (event.has_progress()) {
    if (waiting.progress != SIZE_MAX) {
      // Moved to the end: its phase and message belong after what was logged since.
      waiting.events.erase(waiting.events.begin() + static_cast<ptrdiff_t>(waiting.progress));
      --waiting_count_;
    }
    waiting.progress = waiting.events.size();
  }
  waiting.events.push_back(std::move(event));
  if (++waiting_count_ >= kEventBatch) {
    SendLocked(FromRunner());
  } else if (waiting_count_ == 1) {
    changed_.Signal();
  }
}

void Outbox::SendLocked(FromRunner frame) {
  for (auto& [attempt, waiting] : waiting_) {
    AttemptEvents* events = frame.add_events();
    *events->mutable_ref() = RefOf(attempt);
    for (auto& event : waiting.events) *events->add_events() = std::move(event);
  }
  if (waiting_count_ != 0) last_sent_ = clock_.BootTime();
  waiting_.clear();
  waiting_count_ = 0;
  sender_.Send(frame);
}

void Outbox::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (waiting_count_ == 0) {
      changed_.Wait(mutex_);
      continue;
    }
    const absl::Duration wait = last_sent_ + kEventDelay - clock_.BootTime();
    if (wait > absl::ZeroDuration()) {
      changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(wait));
    } else {
      SendLocked(FromRunner());
    }
  }
}

}  // namespace switchyard::worker
