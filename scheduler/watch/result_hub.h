// Ends of jobs on their way to those who watch all of a tenant's (WatchResults).
//
// The engine only copies rows of ended jobs, and only when somebody watches; making a response of
// them is the watcher's work, on its thread. A watcher that does not keep up is cut off rather than
// let memory grow or others wait.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

class ResultHub {
 public:
  struct Limits {
    size_t batch_bytes = 1024 * 1024;          // Of one batch of rows.
    size_t buffered_bytes = 64 * 1024 * 1024;  // Of one watcher; over it the watcher is cut off.
  };
  // Rows of ended jobs, in the order they ended. Shared by all who watch the tenant.
  using Batch = std::vector<JobUpdate>;

  ResultHub() : ResultHub(Limits{}) {}
  explicit ResultHub(Limits limits) : limits_(limits) {}

  // One watcher; ends with its destruction. The hub outlives it.
  class Subscription {
   public:
    ~Subscription() { hub_.Unsubscribe(*this); }
    // What is next; null: nothing now, `wake` is called when there is.
    std::shared_ptr<const Batch> Next();
    // OK, or why there will be nothing more.
    absl::Status status() const;

   private:
    friend class ResultHub;
    Subscription(ResultHub& hub, std::string tenant, std::function<void()> wake)
        : hub_(hub), tenant_(std::move(tenant)), wake_(std::move(wake)) {}
    // True when the watcher is to be woken.
    bool Take(const std::shared_ptr<const Batch>& batch, size_t bytes);
    bool End(absl::Status status);

    ResultHub& hub_;
    const std::string tenant_;
    const std::function<void()> wake_;
    mutable Mutex mutex_;
    std::deque<std::pair<std::shared_ptr<const Batch>, size_t>> batches_ GUARDED_BY(mutex_);
    size_t bytes_ GUARDED_BY(mutex_) = 0;
    bool waits_ GUARDED_BY(mutex_) = false;
    absl::Status status_ GUARDED_BY(mutex_);
  };

  // Ends published after this call are seen. `wake` is called on the engine's thread: it must be
  // quick, and must own what it touches.
  std::shared_ptr<Subscription> Subscribe(std::string tenant, std::function<void()> wake);

  // From the engine, after the commit: a job ended. Passed over when nobody watches.
  void Ended(absl::string_view tenant, const JobUpdate& row);
  // From the engine, at the end of a drain: hands on what ended in it.
  void Flush();
  // From the engine: ends may be missing. Every watcher is cut off with UNAVAILABLE.
  void Rebuilt();

 private:
  struct Tenant {
    std::vector<Subscription*> watchers;
    std::shared_ptr<Batch> open;  // Of this drain.
    size_t open_bytes = 0;
  };

  void Unsubscribe(Subscription& subscription);
  void HandOn(Tenant& tenant, std::vector<std::function<void()>>& wakes) REQUIRES(mutex_);

  const Limits limits_;
  std::atomic<size_t> watchers_{0};
  Mutex mutex_;
  std::map<std::string, Tenant, std::less<>> tenants_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::scheduler
