#include <memory>
#include <utility>

#include "common/rpc/status.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/raw_messages.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

v1::WatchResultsResponse MakeResponse(const ResultHub::Batch& batch) {
  v1::WatchResultsResponse response;
  response.mutable_jobs()->Reserve(static_cast<int>(batch.size()));
  for (const JobUpdate& row : batch) {
    JobImage image;
    // A record that was just written and cannot be read would be our own bug; its reader finds it
    // by GetJob.
    if (DecodeUpdate(row, image).ok()) WriteResult(image, response.add_jobs());
  }
  return response;
}

// One watcher's stream: at most one write under way, the next begins where it ends.
class Watch final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                    public std::enable_shared_from_this<Watch> {
 public:
  void Start(ResultHub& hub, std::string tenant) {
    self_ = shared_from_this();
    subscription_ = hub.Subscribe(std::move(tenant), [weak = weak_from_this()] {
      if (const std::shared_ptr<Watch> self = weak.lock()) self->Pump();
    });
    // The empty first response: from here on nothing is missed.
    MutexLock lock(mutex_);
    Write(WriteRaw(v1::WatchResultsResponse()));
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
  void Pump() {
    MutexLock lock(mutex_);
    if (writing_ || finished_) return;
    if (const std::shared_ptr<const ResultHub::Batch> batch = subscription_->Next()) {
      return Write(WriteRaw(MakeResponse(*batch)));
    }
    if (absl::Status status = subscription_->status(); !status.ok()) FinishLocked(status);
  }

  void Write(grpc::ByteBuffer bytes) REQUIRES(mutex_) {
    writing_ = true;
    message_ = std::move(bytes);
    StartWrite(&message_);
  }

  void FinishLocked(const absl::Status& status) REQUIRES(mutex_) {
    if (std::exchange(finished_, true)) return;
    Finish(ToGrpc(status));
  }

  Mutex mutex_;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer message_;
  std::shared_ptr<ResultHub::Subscription> subscription_;
  std::shared_ptr<Watch> self_;  // Until OnDone: the call needs it.
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* JobService::WatchResults(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer*) {
  const auto watch = std::make_shared<Watch>();
  watch->Start(backend_.results, backend_.principals.Of(*context).tenant);
  return watch.get();
}

}  // namespace switchyard::scheduler
