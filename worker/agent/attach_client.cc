#include "worker/agent/attach_client.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "common/rpc/status.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace switchyard::worker {

using ::switchyard::worker::v1::SchedulerMessage;
using ::switchyard::worker::v1::WorkerMessage;
using ::switchyard::worker::v1::WorkerService;

namespace {

constexpr absl::Duration kShortestWait = absl::Milliseconds(50);
constexpr absl::Duration kLongestWait = absl::Seconds(2);
constexpr int kSilentIntervals = 3;
// How long a wait for a connection goes without looking whether to stop.
constexpr std::chrono::milliseconds kConnectSlice(100);

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Assignments carry up to 64 KiB each, some hundred at once.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  // The back-off here is the only one: gRPC's own would hold a connection back for up to two
  // minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

absl::Duration BackOff::Next() {
  delay_ = std::clamp(delay_ * 2, kShortestWait, kLongestWait);
  // xorshift64: nothing here needs better.
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return delay_ *
         (0.5 + 0.5 * static_cast<double>(state_ >> 11) / static_cast<double>(uint64_t{1} << 53));
}

AttachClient::AttachClient(const std::vector<std::string>& addresses, Agent& agent, Clock& clock)
    : agent_(agent), clock_(clock), addresses_(addresses) {}

AttachClient::~AttachClient() { Stop(); }

void AttachClient::Start() {
  finder_ = std::make_unique<LeaderFinder>(addresses_, MakeChannel, [this] { LeaderChanged(); });
  thread_ = std::thread([this] { Run(); });
}

void AttachClient::Wake() {
  MutexLock lock(mutex_);
  if (woken_) return;
  woken_ = true;
  changed_.SignalAll();
}

void AttachClient::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
  finder_.reset();
}

bool AttachClient::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

void AttachClient::LeaderChanged() {
  MutexLock lock(mutex_);
  leader_changed_ = true;
  if (context_ != nullptr) context_->TryCancel();
  changed_.SignalAll();
}

void AttachClient::WaitUntilReady() {
  // The agent is asked without our lock: it calls Wake under its own.
  while (!agent_.Ready()) {
    MutexLock lock(mutex_);
    if (!woken_ && !stopping_) changed_.WaitFor(mutex_, std::chrono::milliseconds(100));
    woken_ = false;
    if (stopping_) return;
  }
}

// Waits for the connection with a thread that drives it: a call that fails fast would leave nobody
// to read the peer's settings, and the connection would time out. And the hello is made only when
// it can be sent, since leases count from it.
const LeaderFinder::Scheduler* AttachClient::WaitUntilConnected() {
  while (!stopping()) {
    const LeaderFinder::Scheduler& scheduler = finder_->leader();
    if (scheduler.channel->WaitForConnected(std::chrono::system_clock::now() + kConnectSlice)) {
      return &scheduler;
    }
  }
  return nullptr;
}

void AttachClient::Run() {
  BackOff back_off(static_cast<uint64_t>(absl::ToInt64Nanoseconds(clock_.BootTime())));
  WaitUntilReady();
  while (const LeaderFinder::Scheduler* scheduler = WaitUntilConnected()) {
    if (Attach(*scheduler)) back_off.Reset();
    const absl::Duration until = clock_.BootTime() + back_off.Next();
    MutexLock lock(mutex_);
    while (!stopping_ && !leader_changed_ && clock_.BootTime() < until) {
      changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(until - clock_.BootTime()));
    }
    if (leader_changed_) back_off.Reset();
    if (stopping_) return;
  }
}

bool AttachClient::Attach(const LeaderFinder::Scheduler& scheduler) {
  grpc::ClientContext context;
  {
    MutexLock lock(mutex_);
    if (stopping_) return false;
    // One that leads by now is asked at once.
    if (std::exchange(leader_changed_, false) && finder_->leader().index != scheduler.index) {
      return false;
    }
    context_ = &context;
    stream_over_ = false;
    last_received_ = clock_.BootTime();
  }
  const auto stub = WorkerService::NewStub(scheduler.channel);
  const std::unique_ptr<Stream> stream = stub->Attach(&context);
  WorkerMessage hello;
  *hello.mutable_hello() = agent_.BuildHello();
  bool welcomed = false;
  absl::Status fault;
  if (stream->Write(hello)) {
    std::thread writer([&] { Write(context, *stream); });
    fault = ReadAll(scheduler.address, *stream, &welcomed);
    {
      MutexLock lock(mutex_);
      stream_over_ = true;
      changed_.SignalAll();
    }
    if (!fault.ok())
      context.TryCancel();  // We leave: the peer does not end the stream, nor a write that waits
                            // for it.
    writer.join();
  }
  const absl::Status status = FromGrpc(stream->Finish());
  agent_.OnDetached();
  {
    MutexLock lock(mutex_);
    context_ = nullptr;
    if (stopping_) return welcomed;
  }
  LogWarning("lost the scheduler; coming back",
             {{"scheduler", scheduler.address}, {"reason", (fault.ok() ? status : fault).ToString()}});
  return welcomed;
}

absl::Status AttachClient::ReadAll(const std::string& address, Stream& stream, bool* welcomed) {
  SchedulerMessage message;
  while (stream.Read(&message)) {
    {
      MutexLock lock(mutex_);
      last_received_ = clock_.BootTime();
    }
    if (absl::Status leads = agent_.CheckEpoch(message.epoch()); !leads.ok()) return leads;
    if (message.has_welcome() && !*welcomed) {
      agent_.OnWelcome(message.welcome());
      *welcomed = true;
      LogInfo("attached to the scheduler", {{"scheduler", address}, {"epoch", message.epoch()}});
    } else if (message.has_delta() && *welcomed) {
      agent_.OnDelta(*message.mutable_delta());
    } else {
      return absl::InternalError(
          "the scheduler did not welcome first; it may be of another version");
    }
  }
  return absl::OkStatus();
}

void AttachClient::Write(grpc::ClientContext& context, Stream& stream) {
  WorkerMessage message;
  while (true) {
    message.mutable_delta()->Clear();
    if (agent_.TakeDelta(message.mutable_delta())) {
      if (!stream.Write(message)) return;
      continue;
    }
    const absl::Duration wait = agent_.UntilHeartbeat();
    const absl::Duration longest_silence = kSilentIntervals * agent_.heartbeat_interval();
    MutexLock lock(mutex_);
    if (!woken_ && !stream_over_ && wait > absl::ZeroDuration()) {
      changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(wait));
    }
    woken_ = false;
    if (stream_over_) return;
    if (clock_.BootTime() - last_received_ > longest_silence) {
      LogWarning("the scheduler is silent; leaving this stream");
      context.TryCancel();
      return;
    }
  }
}

}  // namespace switchyard::worker
