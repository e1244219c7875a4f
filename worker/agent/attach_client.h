// Keeps the Attach stream to the scheduler that leads open and moves messages between it and the
// agent. When another one leads it leaves the stream, which may be to a scheduler that is frozen or
// cut off, and attaches there.
//
// One thread reads (and reconnects, with jittered back-off of 50 ms to 2 s), one writes: at once
// when there is something to say, everything that gathered when the write before took its time. A
// stream on which nothing came for three heartbeat intervals is given up.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/leader/leader_finder.h"
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
  // `addresses` as gRPC takes them: all schedulers; not empty. `agent` and `clock` outlive this.
  // Start connects; Wake may be called before.
  AttachClient(const std::vector<std::string>& addresses, Agent& agent, Clock& clock);
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
  void LeaderChanged();
  // One stream from hello to its end. True when it was welcomed.
  bool Attach(const LeaderFinder::Scheduler& scheduler);
  absl::Status ReadAll(const std::string& address, Stream& stream, bool* welcomed);
  void Write(grpc::ClientContext& context, Stream& stream);
  void WaitUntilReady();
  // The scheduler to attach to, once it is connected; null: it is time to stop.
  const LeaderFinder::Scheduler* WaitUntilConnected();
  bool stopping() const;

  Agent& agent_;
  Clock& clock_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool woken_ GUARDED_BY(mutex_) = false;
  bool stream_over_ GUARDED_BY(mutex_) = false;
  bool leader_changed_ GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ GUARDED_BY(mutex_) = nullptr;  // Of the open stream.
  absl::Duration last_received_ GUARDED_BY(mutex_);
  std::unique_ptr<LeaderFinder> finder_;  // Made by Start: it calls the rest.
  const std::vector<std::string> addresses_;
  std::thread thread_;
};

}  // namespace switchyard::worker
