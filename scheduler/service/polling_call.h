// A unary call that is answered when something has come about, or its time is over. For things made
// of many jobs, whose ends would be thousands of notices: it looks again and again instead, less
// often the longer it takes.
//
// Thread-safe as gRPC calls it. Deletes itself when its call is done.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/status.h"
#include "grpcpp/alarm.h"
#include "grpcpp/support/server_callback.h"
#include "scheduler/service/backend.h"

namespace switchyard::scheduler {

class PollingCall final : public grpc::ServerUnaryReactor {
 public:
  // `look` runs on the reader pool, one call at a time; it fills the response and says whether that
  // was it.
  static grpc::ServerUnaryReactor* Start(const Backend& backend, absl::Duration timeout,
                                         std::function<absl::StatusOr<bool>()> look) {
    auto* call = new PollingCall(backend, timeout, std::move(look));
    call->Post();
    return call;
  }

  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  static constexpr absl::Duration kFirstPause = absl::Milliseconds(20);
  static constexpr absl::Duration kLongestPause = absl::Milliseconds(500);

  PollingCall(const Backend& backend, absl::Duration timeout,
              std::function<absl::StatusOr<bool>()> look)
      : backend_(backend), deadline_(backend.clock.BootTime() + timeout), look_(std::move(look)) {}

  void Post() {
    const absl::Status taken = backend_.readers.Run([this] { Look(); });
    if (!taken.ok()) Finish(ToGrpc(taken));
  }

  void Look() {
    if (cancelled_) return Finish(ToGrpc(absl::CancelledError("the caller has gone")));
    const absl::StatusOr<bool> over = look_();
    const absl::Duration left = deadline_ - backend_.clock.BootTime();
    if (!over.ok() || *over || left <= absl::ZeroDuration()) return Finish(ToGrpc(over.status()));
    // A new one each time: the old one's function may still be on its way out.
    alarm_ = std::make_unique<grpc::Alarm>();
    const absl::Duration pause = std::min(left, pause_);
    pause_ = std::min(pause_ * 2, kLongestPause);
    alarm_->Set(absl::ToChronoTime(absl::Now() + pause), [this](bool) { Post(); });
  }

  const Backend& backend_;
  const absl::Duration deadline_;
  const std::function<absl::StatusOr<bool>()> look_;
  absl::Duration pause_ = kFirstPause;
  std::unique_ptr<grpc::Alarm> alarm_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace switchyard::scheduler
