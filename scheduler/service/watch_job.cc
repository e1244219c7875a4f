#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"
#include "scheduler/watch/job_replay.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

// One watcher's stream. First what happened before (read once, on the reader pool), then the hub's
// log; at most one write is under way, so a slow watcher costs nobody but itself.
class Watch final : public grpc::ServerWriteReactor<v1::JobEvent>,
                    public std::enable_shared_from_this<Watch> {
 public:
  Watch(const Backend& backend, std::string tenant, JobId job, EventPosition position)
      : backend_(backend), tenant_(std::move(tenant)), job_(job), position_(position) {}

  void Start() {
    self_ = shared_from_this();
    auto subscription = backend_.events.Subscribe(job_, [weak = weak_from_this()] {
      if (const std::shared_ptr<Watch> self = weak.lock()) self->Pump();
    });
    MutexLock lock(mutex_);
    subscription_ = std::move(subscription);
    StartReplay();
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) return FinishLocked(absl::CancelledError("the watcher has gone"));
    }
    Pump();
  }
  void OnCancel() override {
    MutexLock lock(mutex_);
    FinishLocked(absl::CancelledError("the watcher has gone"));
  }
  void OnDone() override { self_.reset(); }

 private:
  // Reads the job as it is; the subscription stands already, so nothing falls in between.
  void StartReplay() REQUIRES(mutex_) {
    replaying_ = true;
    const absl::Status taken =
        backend_.readers.Run([self = shared_from_this()] { self->ReplayNow(); });
    if (!taken.ok()) FinishLocked(taken);
  }

  void ReplayNow() {
    const absl::StatusOr<JobImage> image = ReadImage(backend_, tenant_, job_);
    EventPosition position;
    {
      MutexLock lock(mutex_);
      if (!image.ok()) return FinishLocked(image.status());
      position = position_;
    }
    std::deque<v1::JobEvent> events = Replay(*image, backend_.artifacts, position);
    {
      MutexLock lock(mutex_);
      create_us_ = image->create_us;
      position_ = position;
      ready_ = std::move(events);
      ended_ = HasEnded(image->state);
      replaying_ = false;
    }
    Pump();
  }

  void Pump() {
    MutexLock lock(mutex_);
    if (writing_ || finished_ || replaying_) return;
    while (ready_.empty() && !ended_ && !replaying_) {
      const std::shared_ptr<const HubEntry> entry = subscription_->Next();
      if (entry == nullptr) return;
      Take(*entry);
    }
    if (replaying_) return;
    if (ready_.empty()) return FinishLocked(absl::OkStatus());
    message_ = std::move(ready_.front());
    ready_.pop_front();
    writing_ = true;
    StartWrite(&message_);
  }

  void Take(const HubEntry& entry) REQUIRES(mutex_) {
    switch (entry.kind) {
      case HubEntry::kReread:
        return StartReplay();
      case HubEntry::kState:
        return TakeState(entry);
      case HubEntry::kEvent:
        return TakeEvent(entry);
    }
  }

  void TakeState(const HubEntry& entry) REQUIRES(mutex_) {
    const bool last = HasEnded(entry.image->state) && entry.change == entry.image->change_count;
    // The end is told whatever its number: changes that were never stored may have carried higher
    // ones.
    if (position_.SeesChange(entry.change) && !last) return;
    for (const StateChange& change : entry.image->history) {
      if (change.number != entry.change) continue;
      position_.changes = std::max(position_.changes, change.number);
      JobImage image = *entry.image;
      image.create_us = create_us_;
      Add(StateEvent(image, change));
    }
    ended_ = last;
  }

  void TakeEvent(const HubEntry& entry) REQUIRES(mutex_) {
    if (position_.SeesEvent(entry.attempt, entry.sequence)) return;
    const uint64_t expected = position_.attempt == entry.attempt ? position_.sequence + 1 : 1;
    if (entry.sequence > expected) {
      v1::JobEvent gap;
      gap.mutable_gap()->set_reason(
          absl::StrCat("events ", expected, " to ", entry.sequence - 1, " are no longer kept"));
      Add(std::move(gap));
    }
    position_.attempt = entry.attempt;
    position_.sequence = entry.sequence;
    Add(entry.event);
  }

  void Add(v1::JobEvent event) REQUIRES(mutex_) {
    event.set_id(FormatEventId(position_));
    ready_.push_back(std::move(event));
  }

  void FinishLocked(const absl::Status& status) REQUIRES(mutex_) {
    if (std::exchange(finished_, true)) return;
    Finish(ToGrpc(status));
  }

  const Backend& backend_;
  const std::string tenant_;
  const JobId job_;
  Mutex mutex_;
  EventPosition position_ GUARDED_BY(mutex_);  // Behind the last event in `ready_`.
  std::deque<v1::JobEvent> ready_ GUARDED_BY(mutex_);
  int64_t create_us_ GUARDED_BY(mutex_) = 0;
  bool replaying_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;  // Nothing comes after `ready_`.
  bool writing_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<EventHub::Subscription> subscription_ GUARDED_BY(mutex_);
  v1::JobEvent message_;         // Being written.
  std::shared_ptr<Watch> self_;  // Until OnDone: the call needs it.
};

// A watch that is refused.
class Refused final : public grpc::ServerWriteReactor<v1::JobEvent> {
 public:
  explicit Refused(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerWriteReactor<v1::JobEvent>* JobService::WatchJob(grpc::CallbackServerContext* context,
                                                             const v1::WatchJobRequest* request) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return new Refused(principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->job(), "job");
  if (!id.ok()) return new Refused(id.status());
  const std::optional<EventPosition> position = ParseEventId(request->last_event_id());
  if (!position) {
    return new Refused(
        InvalidField("last_event_id", "must be the id of an event of this job, or empty"));
  }
  const auto watch = std::make_shared<Watch>(backend_, principal->tenant, *id, *position);
  watch->Start();
  return watch.get();
}

}  // namespace switchyard::scheduler
