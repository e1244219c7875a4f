#include <memory>
#include <utility>

#include "common/rpc/status.h"
#include "google/protobuf/arena.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/raw_messages.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

grpc::ByteBuffer MakeResponse(const ResultHub::Batch& batch) {
  google::protobuf::Arena arena;
  auto& response = *google::protobuf::Arena::CreateMessage<v1::WatchResultsResponse>(&arena);
  response.mutable_jobs()->Reserve(static_cast<int>(batch.size()));
  for (const JobUpdate& row : batch) {
    JobImage image;
    // A record that was just written and cannot be read would be our own bug; its reader finds it
    // by GetJob.
    if (DecodeUpdate(row, image).ok()) WriteResult(image, response.add_jobs());
  }
  return WriteRaw(response);
}

// Up to so many results are written on the engine's thread: a hop costs more, and a lone result is
// to be seen at once.
constexpr size_t kFewResults = 32;

// One watcher's stream: at most one write under way, the next begins where it ends.
class Watch final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                    public std::enable_shared_from_this<Watch> {
 public:
  explicit Watch(ReaderPool& pool) : pool_(pool) {}

  void Start(ResultHub& hub, std::string tenant) {
    self_ = shared_from_this();
    subscription_ = hub.Subscribe(std::move(tenant), [weak = weak_from_this()] {
      if (const std::shared_ptr<Watch> self = weak.lock()) self->Wake();
    });
    // The empty first response: from here on nothing is missed. No wake comes before the first
    // Next.
    {
      MutexLock lock(mutex_);
      writing_ = true;
    }
    Write(ResultHub::Batch());
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) return FinishLocked(absl::CancelledError("the watcher has gone"));
    }
    if (const Batch batch = Claim()) Write(*batch);
  }
  void OnCancel() override {
    MutexLock lock(mutex_);
    FinishLocked(absl::CancelledError("the watcher has gone"));
  }
  void OnDone() override { self_.reset(); }

 private:
  using Batch = std::shared_ptr<const ResultHub::Batch>;

  // On the engine's thread.
  void Wake() {
    const Batch batch = Claim();
    if (batch == nullptr) return;
    if (batch->size() <= kFewResults ||
        !pool_.Run([self = shared_from_this(), batch] { self->Write(*batch); }).ok()) {
      Write(*batch);
    }
  }

  // What is to be written next, by the caller; null: nothing now.
  Batch Claim() {
    MutexLock lock(mutex_);
    if (writing_ || finished_) return nullptr;
    Batch batch = subscription_->Next();
    writing_ = batch != nullptr;
    if (absl::Status status = subscription_->status(); !writing_ && !status.ok())
      FinishLocked(status);
    return batch;
  }

  // REQUIRES: `writing_` was set for this.
  void Write(const ResultHub::Batch& batch) {
    grpc::ByteBuffer bytes = MakeResponse(batch);
    MutexLock lock(mutex_);
    if (finished_) return;
    message_ = std::move(bytes);
    StartWrite(&message_);
  }

  void FinishLocked(const absl::Status& status) REQUIRES(mutex_) {
    if (std::exchange(finished_, true)) return;
    Finish(ToGrpc(status));
  }

  ReaderPool& pool_;
  Mutex mutex_;
  bool writing_ GUARDED_BY(mutex_) = false;  // A response is being made or sent.
  bool finished_ GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer message_;
  std::shared_ptr<ResultHub::Subscription> subscription_;
  std::shared_ptr<Watch> self_;  // Until OnDone: the call needs it.
};

// A watch that is refused.
class Refused final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit Refused(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* JobService::WatchResults(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer*) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return new Refused(principal.status());
  const auto watch = std::make_shared<Watch>(backend_.readers);
  watch->Start(backend_.results, principal->tenant);
  return watch.get();
}

}  // namespace switchyard::scheduler
