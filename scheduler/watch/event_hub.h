// What happens to jobs, on its way from the engine and the workers to those who watch.
//
// A job that is watched, or whose attempt sends events, has a channel: a bounded log of state
// changes and worker events in the order they came. A watcher reads the log at its own pace and is
// called when there is more; it never holds up the engine or a worker's stream. What fell out of a
// log before a watcher came to it is missing in the numbers it is given.
//
// Why not a queue per watcher: memory is bounded by the jobs that run, not by how many watch or how
// slowly.
//
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/id/job_id.h"
#include "common/sync/mutex.h"
#include "google/protobuf/repeated_field.h"
#include "scheduler/core/image.h"
#include "scheduler/watch/event_id.h"
#include "switchyard/v1/event.pb.h"

namespace switchyard::scheduler {

// One entry of a log. Immutable.
struct HubEntry {
  enum Kind {
    kState,   // State change number `change` of `image`.
    kEvent,   // `event`, number `sequence` of `attempt`.
    kReread,  // Changes may be missing here: read the job again.
  };
  Kind kind = kReread;
  std::shared_ptr<const JobImage> image;
  uint32_t change = 0;
  uint32_t attempt = 0;
  uint64_t sequence = 0;
  v1::JobEvent event;
};

class EventHub {
 public:
  struct Limits {
    size_t entries = 4096;       // Of one log.
    size_t bytes = 1024 * 1024;  // Of its worker events, serialized.
  };
  // Called when a watcher that was told "no more now" can read on. On the thread that brought the
  // news, without a lock held: it must be quick. One call may still come while its subscription is
  // being destroyed by another thread, so it must own what it touches.
  using WakeFunction = std::function<void()>;

  EventHub() : EventHub(Limits{}) {}
  explicit EventHub(Limits limits) : limits_(limits) {}

 private:
  struct Watcher {
    explicit Watcher(WakeFunction function) : wake(std::move(function)) {}
    const WakeFunction wake;
    bool waits =
        false;  // Was told "no more now" and not woken since. Guarded by the shard's mutex.
  };
  struct Channel {
    std::deque<std::pair<std::shared_ptr<const HubEntry>, size_t>> log;  // With bytes.
    uint64_t first_index = 0;  // Of the log's front; the first ever is 0.
    size_t bytes = 0;
    EventPosition end;  // Newest change and event taken.
    bool running =
        true;  // Kept though nobody watches: whoever comes later finds the attempt's events.
    std::vector<std::shared_ptr<Watcher>> watchers;
  };

 public:
  // One watcher of one job; destroying it ends the watching. Used by one thread at a time. The hub
  // outlives it.
  class Subscription {
   public:
    ~Subscription() { hub_.Unsubscribe(*this); }
    // The next entry, or null when there is no more now. Entries that fell out of the log are
    // skipped.
    std::shared_ptr<const HubEntry> Next() { return hub_.Next(*this); }

   private:
    friend class EventHub;
    Subscription(EventHub& hub, JobId job, std::shared_ptr<Channel> channel,
                 std::shared_ptr<Watcher> watcher)
        : hub_(hub), job_(job), channel_(std::move(channel)), watcher_(std::move(watcher)) {}
    EventHub& hub_;
    const JobId job_;
    const std::shared_ptr<Channel> channel_;
    const std::shared_ptr<Watcher> watcher_;
    uint64_t next_index_ = 0;
  };

  // The subscription sees what the log holds already and everything after this call. Not woken
  // before the first Next that gives null.
  std::unique_ptr<Subscription> Subscribe(JobId job, WakeFunction wake);

  // From the engine, after the commit and after the new state can be read, for changed jobs.
  // `image` is called only when somebody may want to know; null is passed over. A job without new
  // state changes is passed over.
  void StateChanged(JobId job, uint32_t change_count,
                    absl::FunctionRef<std::shared_ptr<const JobImage>()> image);

  // From the engine: what it published before may miss changes. Every watcher finds a kReread.
  void Rebuilt();

  // From a worker's stream; moves the events out of `events`. Those at or below what came before
  // are dropped: streams repeat after a reconnect.
  void Append(JobId job, uint32_t attempt, uint64_t first_sequence,
              google::protobuf::RepeatedPtrField<v1::JobEvent>& events);

  // Jobs with a log; for metrics and tests.
  size_t channels() const;

 private:
  struct Shard {
    mutable Mutex mutex;
    std::unordered_map<JobId, std::shared_ptr<Channel>> channels GUARDED_BY(mutex);
    std::atomic<size_t> size{0};  // Of `channels`: lets the engine pass by without the lock.
  };

  Shard& ShardOf(JobId job) { return shards_[(job ^ job >> 20) % shards_.size()]; }
  Channel& ChannelOf(Shard& shard, JobId job) REQUIRES(shard.mutex);
  void Add(Channel& channel, std::shared_ptr<const HubEntry> entry, size_t bytes) const;
  void AddChanges(Channel& channel, const std::shared_ptr<const JobImage>& image) const;
  static void TakeWaiting(Channel& channel, std::vector<std::shared_ptr<Watcher>>& waiting);
  static void DropIfIdle(Shard& shard, JobId job) REQUIRES(shard.mutex);
  std::shared_ptr<const HubEntry> Next(Subscription& subscription);
  void Unsubscribe(Subscription& subscription);

  const Limits limits_;
  std::array<Shard, 64> shards_;
};

}  // namespace switchyard::scheduler
