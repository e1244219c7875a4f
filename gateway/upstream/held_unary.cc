#include "gateway/upstream/held_unary.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace switchyard::gateway {

HeldUnary::HeldUnary(Upstream& upstream, CallInfo info)
    : upstream_(upstream),
      info_(std::move(info)),
      hold_until_(std::min(info_.deadline, absl::Now() + kLongestHold)) {}

void HeldUnary::Start(grpc::ByteBuffer request, bool repeatable, Done done) {
  request_ = std::move(request);
  repeatable_ = repeatable;
  done_ = std::move(done);
  Try();
}

void HeldUnary::Try() {
  grpc::ClientContext* context;
  {
    MutexLock lock(mutex_);
    context_ = std::make_unique<grpc::ClientContext>();
    FillContext(info_, context_.get());
    if (cancelled_) context_->TryCancel();
    context = context_.get();
  }
  response_.Clear();
  flight_.emplace(upstream_, info_.method, context);
  flight_->stub().UnaryCall(context, info_.method, {}, &request_, &response_,
                            [this](grpc::Status status) { OnAnswer(status); });
}

void HeldUnary::OnAnswer(const grpc::Status& ended) {
  const grpc::Status status = flight_->Outcome(ended);
  flight_.reset();
  bool cancelled;
  {
    MutexLock lock(mutex_);
    cancelled = cancelled_;
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && repeatable_ && !cancelled) {
    if (const auto pause = backoff_.Next(absl::Now(), hold_until_)) {
      alarm_.Set(absl::ToChronoTime(absl::Now() + *pause), [this](bool) { Try(); });
      return;
    }
  }
  const Done done = std::move(done_);  // It may delete this.
  done(status);
}

void HeldUnary::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

}  // namespace switchyard::gateway
