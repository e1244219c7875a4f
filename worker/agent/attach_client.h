// Keeps the Attach stream to the scheduler open and moves messages between it and the agent.
//
// One thread reads (and reconnects, with jittered back-off of 50 ms to 2 s), one writes: at once
// when there is something to say, everything that gathered when the write before took its time. A
// stream on which nothing came for three heartbeat intervals is given up.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "grpcpp/channel.h"
#include "switchyard/worker/v1/worker_service.grpc.pb.h"
#include "worker/agent/agent.h"

namespace switchyard::worker {

// Doubles from 50 ms to 2 s; each wait is between half of it and all of it, so that the workers of
// a fleet do not come back in step. Not thread-safe.
class BackOff {
 public:
  explicit BackOff(uint64_t seed) : state_(seed | 1) {}
  absl::Duration Next();
  void Reset() { delay_ = absl::ZeroDuration(); }

 private:
  absl::Duration delay_;
  uint64_t state_;
};

// Thread-safe.
class AttachClient {
 public:
  // `address` as gRPC takes it. `agent` and `clock` outlive this. Start connects; Wake may be
  // called before.
  AttachClient(std::string address, Agent& agent, Clock& clock);
  ~AttachClient();
  void Start();
  // There is something to send.
  void Wake();
  // Ends the stream and the threads.
  void Stop();

 private:
  using Stream = grpc::ClientReaderWriter<::switchyard::worker::v1::WorkerMessage,
                                          ::switchyard::worker::v1::SchedulerMessage>;
  void Run();
  // One stream from hello to its end. True when it was welcomed.
  bool Attach(::switchyard::worker::v1::WorkerService::Stub& stub);
  absl::Status ReadAll(grpc::ClientContext& context, Stream& stream, bool* welcomed);
  void Write(grpc::ClientContext& context, Stream& stream);
  void WaitUntilReady();
  bool WaitUntilConnected(grpc::Channel& channel);

  const std::string address_;
  Agent& agent_;
  Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool woken_ GUARDED_BY(mutex_) = false;
  bool stream_over_ GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ GUARDED_BY(mutex_) = nullptr;  // Of the open stream.
  absl::Duration last_received_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace switchyard::worker
