// Server streams as server-sent events, or as newline-delimited JSON where Accept asks for that.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/doors/json/answer.h"
#include "gateway/doors/json/json_door.h"
#include "gateway/doors/json/sse.h"
#include "gateway/transcode/json_writer.h"
#include "gateway/transcode/problem.h"
#include "gateway/upstream/held_call.h"
#include "gateway/upstream/message_bytes.h"
#include "gateway/upstream/stream_call.h"

namespace switchyard::gateway {
namespace {

namespace asio = boost::asio;
using google::protobuf::Message;
using http::Awaitable;
using http::Exchange;
using Outcome = StreamCall::Outcome;

// The answer's head waits this long for a first message or an error, so that an error can still
// choose the status.
constexpr std::chrono::nanoseconds kFirstWait = std::chrono::seconds(1);
constexpr int kClientRetryMs = 2000;

// One event stream: an upstream call, taken up again where it broke, and the frames made of it.
class EventPump {
 public:
  EventPump(Exchange& exchange, const Method& method, Upstream& upstream, CallInfo info,
            absl::Duration heartbeat, std::unique_ptr<Message> request)
      : exchange_(exchange),
        method_(method),
        upstream_(upstream),
        info_(std::move(info)),
        heartbeat_(absl::ToChronoNanoseconds(heartbeat)),
        request_(std::move(request)),
        lines_(absl::StrContains(exchange.head().headers.Find("Accept"), "application/x-ndjson")) {}

  Awaitable<> Run() {
    exchange_.OnGone([this] {
      ended_ = true;
      if (call_ != nullptr) call_->Cancel();
    });
    hold_until_ = absl::Now() + kLongestHold;
    absl::Status status;
    do {
      status = co_await PumpOnce();
    } while (co_await ShouldReconnect(status));
    exchange_.OnGone(nullptr);
    co_await Close(status);
  }

 private:
  Awaitable<absl::Status> PumpOnce() {
    call_ = StreamCall::Start(upstream_, info_, exchange_.executor());
    grpc::ByteBuffer first = ToBytes(*request_);
    const bool taken = co_await call_->Write(std::move(first));
    if (taken) call_->WritesDone();
    grpc::ByteBuffer message;
    Outcome outcome = Outcome::kTimeout;
    while (!ended_ && outcome != Outcome::kEnd) {
      const std::chrono::nanoseconds limit = begun_ ? heartbeat_ : kFirstWait;
      outcome = co_await call_->Read(limit, &message);
      if (outcome == Outcome::kMessage) co_await Send(message);
      if (outcome == Outcome::kTimeout) co_await Idle();
    }
    co_return ExplainUnavailable(co_await call_->Finish());
  }

  Awaitable<> Send(const grpc::ByteBuffer& bytes) {
    const auto message = FromBytes(bytes, *method_.response);
    if (!message.ok()) co_return;
    backoff_.Reset();
    hold_until_ = absl::InfinitePast();
    const bool open = co_await Begin();
    if (!open) co_return;
    std::string frame = Frame(**message);
    co_await WriteOrEnd(std::move(frame));
  }

  Awaitable<> Idle() {
    if (!begun_) {
      co_await Begin();
    } else {
      std::string beat = Heartbeat();
      co_await WriteOrEnd(std::move(beat));
    }
  }

  std::string Heartbeat() const { return lines_ ? "\n" : SseComment("heartbeat"); }

  std::string ErrorFrame(const absl::Status& status) const {
    const std::string problem = ProblemJson(status, exchange_.head().path());
    return lines_ ? NdjsonLine(absl::StrCat("{\"error\":", problem, "}"))
                  : SseEvent("", "error", problem);
  }

  Awaitable<> WriteOrEnd(std::string frame) {
    // In two statements: GCC 12 puts a trap behind `if (!co_await ...)` at the end of a coroutine.
    const bool written = co_await exchange_.Write(std::move(frame));
    ended_ = ended_ || !written;
    co_return;
  }

  std::string Frame(const Message& message) {
    const auto* reflection = message.GetReflection();
    std::string json;
    AppendJson(message, &json);
    std::string id;
    if (method_.events.id != nullptr) id = reflection->GetString(message, method_.events.id);
    if (!id.empty() && method_.events.resume != nullptr) {
      request_->GetReflection()->SetString(request_.get(), method_.events.resume, id);
    }
    if (lines_) return NdjsonLine(json);
    absl::string_view event;
    if (method_.events.event != nullptr) {
      const auto* member = reflection->GetOneofFieldDescriptor(message, method_.events.event);
      if (member != nullptr) event = member->name();
    }
    return SseEvent(id, event, json);
  }

  Awaitable<bool> Begin() {
    if (std::exchange(begun_, true)) co_return !ended_;
    http::ResponseHead head;
    head.content_type = lines_ ? "application/x-ndjson" : "text/event-stream";
    head.headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
    const bool sent = co_await exchange_.Begin(std::move(head), std::nullopt);
    ended_ = ended_ || !sent;
    if (!ended_ && !lines_) {
      std::string retry = SseRetry(kClientRetryMs);
      co_await WriteOrEnd(std::move(retry));
    }
    co_return !ended_;
  }

  // The stream goes on where it broke, when the method can resume and the scheduler is back within
  // the hold.
  Awaitable<bool> ShouldReconnect(const absl::Status& status) {
    if (ended_ || !MayRepeat(status) || method_.events.resume == nullptr) co_return false;
    if (hold_until_ == absl::InfinitePast()) hold_until_ = absl::Now() + kLongestHold;
    const auto pause = backoff_.Next(absl::Now(), hold_until_);
    if (!pause.has_value()) co_return false;
    asio::steady_timer timer(exchange_.executor(), absl::ToChronoNanoseconds(*pause));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return !ended_;
  }

  Awaitable<> Close(const absl::Status& status) {
    if (exchange_.gone()) co_return;
    const bool failed = !status.ok() && !ended_;
    if (!begun_ && failed) {
      co_await exchange_.Respond(ProblemAnswer(status, exchange_.head()));
      co_return;
    }
    co_await Begin();
    if (failed) {
      std::string frame = ErrorFrame(status);
      co_await exchange_.Write(std::move(frame));
    }
    co_await exchange_.End();
  }

  Exchange& exchange_;
  const Method& method_;
  Upstream& upstream_;
  const CallInfo info_;
  const std::chrono::nanoseconds heartbeat_;
  const std::unique_ptr<Message> request_;
  const bool lines_;
  std::shared_ptr<StreamCall> call_;
  Backoff backoff_;
  absl::Time hold_until_;
  bool begun_ = false;
  bool ended_ = false;  // The client left, or the server stops.
};

}  // namespace

Awaitable<> JsonDoor::HandleEvents(Exchange& exchange, const Route& route, CallInfo info) const {
  const Method& method = *route.binding->method;
  absl::StatusOr<std::unique_ptr<Message>> request = co_await TakeRequest(exchange, route);
  if (!request.ok()) {
    co_await exchange.Respond(ProblemAnswer(request.status(), exchange.head()));
    co_return;
  }
  info.deadline = DeadlineFor(method, **request, exchange.head());
  EventPump pump(exchange, method, *upstream_, std::move(info), options_.heartbeat,
                 *std::move(request));
  co_await pump.Run();
}

}  // namespace switchyard::gateway
