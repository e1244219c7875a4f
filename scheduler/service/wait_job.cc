#include <algorithm>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "grpcpp/alarm.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr absl::Duration kDefaultWait = absl::Seconds(30);
constexpr absl::Duration kLongestWait = absl::Minutes(10);

// Waits for the job's end, the time's end, or the caller's going, whichever is first; then reads
// the job once and answers.
class Waiter final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<Waiter> {
 public:
  Waiter(const Backend& backend, std::string tenant, JobId job, v1::Job* response)
      : backend_(backend), tenant_(std::move(tenant)), job_(job), response_(response) {}

  void Start(absl::Duration timeout) {
    self_ = shared_from_this();
    // The alarm keeps its function for as long as it lives itself, so the function must not own the
    // alarm's owner.
    alarm_.Set(absl::ToChronoTime(backend_.clock.Now() + timeout),
               [weak = weak_from_this()](bool fired) {
                 const std::shared_ptr<Waiter> self = weak.lock();
                 if (fired && self != nullptr) self->Answer();
               });
    auto subscription = backend_.events.Subscribe(job_, [weak = weak_from_this()] {
      if (const std::shared_ptr<Waiter> self = weak.lock()) self->Look();
    });
    {
      MutexLock lock(mutex_);
      subscription_ = std::move(subscription);
    }
    // The subscription stands, so an end after this read is not missed.
    Read([this](const JobImage& image) { HasEnded(image.state) ? Answer() : Look(); });
  }

  void OnCancel() override { Finish(absl::CancelledError("the caller has gone")); }

  void OnDone() override {
    alarm_.Cancel();
    self_.reset();
  }

 private:
  // Takes what the hub has; it calls again when there is more.
  void Look() {
    bool read_again = false;
    {
      MutexLock lock(mutex_);
      while (const std::shared_ptr<const HubEntry> entry = subscription_->Next()) {
        read_again |= entry->kind == HubEntry::kReread ||
                      (entry->image != nullptr && HasEnded(entry->image->state));
      }
    }
    if (!read_again) return;
    Read([this](const JobImage& image) {
      if (HasEnded(image.state)) Answer();
    });
  }

  template <typename Then>
  void Read(Then then) {
    const absl::Status taken = backend_.readers.Run([self = shared_from_this(), then] {
      const absl::StatusOr<JobImage> image = ReadImage(self->backend_, self->tenant_, self->job_);
      image.ok() ? then(*image) : self->Finish(image.status());
    });
    if (!taken.ok()) Finish(taken);
  }

  void Answer() {
    const absl::Status taken = backend_.readers.Run([self = shared_from_this()] {
      absl::StatusOr<v1::Job> job = ReadJob(self->backend_, self->tenant_, self->job_);
      self->Finish(job.status(), [&] { *self->response_ = std::move(*job); });
    });
    if (!taken.ok()) Finish(taken);
  }

  void Finish(const absl::Status& status) {
    Finish(status, [] {});
  }

  // The response may be written only by the call that finishes.
  template <typename Fill>
  void Finish(const absl::Status& status, Fill fill) {
    {
      MutexLock lock(mutex_);
      if (std::exchange(finished_, true)) return;
      if (status.ok()) fill();
    }
    ServerUnaryReactor::Finish(ToGrpc(status));
  }

  const Backend& backend_;
  const std::string tenant_;
  const JobId job_;
  v1::Job* const response_;
  grpc::Alarm alarm_;
  Mutex mutex_;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<EventHub::Subscription> subscription_ GUARDED_BY(mutex_);
  std::shared_ptr<Waiter> self_;  // Until OnDone: the call needs it.
};

absl::StatusOr<absl::Duration> ReadTimeout(const v1::WaitJobRequest& request) {
  if (!request.has_timeout()) return kDefaultWait;
  if (!IsLength(request.timeout())) return InvalidField("timeout", "must be 0 to 10 min");
  const absl::Duration timeout =
      absl::Seconds(request.timeout().seconds()) + absl::Nanoseconds(request.timeout().nanos());
  return std::min(timeout, kLongestWait);
}

}  // namespace

grpc::ServerUnaryReactor* JobService::WaitJob(grpc::CallbackServerContext* context,
                                              const v1::WaitJobRequest* request,
                                              v1::Job* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<JobId> id = ReadJobId(request->job(), "job");
  if (!id.ok()) return FinishWith(*context, id.status());
  const absl::StatusOr<absl::Duration> timeout = ReadTimeout(*request);
  if (!timeout.ok()) return FinishWith(*context, timeout.status());
  const auto waiter = std::make_shared<Waiter>(backend_, principal->tenant, *id, response);
  waiter->Start(*timeout);
  return waiter.get();
}

}  // namespace switchyard::scheduler
