// One worker's Attach stream: its messages go to the engine in the order they come, the engine's go
// out batched.
//
// Sending begins at once when nothing is under way; what comes meanwhile is gathered into the next
// message. So a lone assignment does not wait, and a thousand share a few messages.
//
// Thread-safe. Owns itself until gRPC is done with it; the registry keeps it findable until then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "common/sync/mutex.h"
#include "grpcpp/alarm.h"
#include "grpcpp/grpcpp.h"
#include "scheduler/engine/engine_thread.h"
#include "scheduler/service/attach_messages.h"
#include "scheduler/service/attach_outbox.h"
#include "scheduler/service/attach_registry.h"
#include "scheduler/service/reader_pool.h"
#include "scheduler/watch/event_hub.h"
#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::scheduler {

class AttachSession final
    : public grpc::ServerBidiReactor<worker::v1::WorkerMessage, worker::v1::SchedulerMessage>,
      public std::enable_shared_from_this<AttachSession> {
 public:
  // What it works with; all outlive it.
  struct Ports {
    EngineThread& engine;
    const LiveView& live;
    EventHub& events;
    AttachRegistry& registry;
    ReaderPool& pool;  // Where large messages are made.
    LeaseTimes times;
    const Leadership& leadership = AloneLeads();
    Clock& clock = SystemClock();
  };

  AttachSession(const Ports& ports, grpc::CallbackServerContext& context)
      : ports_(ports), context_(context) {}

  // REQUIRES: called once, before the handler returns it.
  void Start();

  // From the engine.
  void Send(uint64_t epoch, SessionOutput output);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override {}  // The read under way ends with it.
  void OnDone() override;

 private:
  absl::Status TakeHello(worker::v1::WorkerMessage& message);
  absl::Status TakeDelta(worker::v1::WorkerDelta& delta);
  void TakeEvents(worker::v1::WorkerDelta& delta);
  void Detach();
  void FinishWith(const absl::Status& status) EXCLUDES(mutex_);
  void FinishLocked(const absl::Status& status) REQUIRES(mutex_);
  void CutOffLater() REQUIRES(mutex_);
  void Remember(const SessionOutput& output) REQUIRES(mutex_);
  void WriteNext() EXCLUDES(mutex_);

  const Ports ports_;
  grpc::CallbackServerContext& context_;
  uint64_t session_ = 0;
  bool attached_ = false;  // Reader only: the hello was taken.
  std::string worker_;     // Reader only.
  worker::v1::WorkerMessage incoming_;

  Mutex mutex_;
  AttachOutbox outbox_ GUARDED_BY(mutex_);
  // Attempts the worker holds by our knowledge: events of others are not taken.
  absl::flat_hash_set<std::pair<JobId, uint32_t>> held_ GUARDED_BY(mutex_);
  worker::v1::SchedulerMessage outgoing_;    // Belongs to whoever set `writing_`.
  bool writing_ GUARDED_BY(mutex_) = false;  // A message is being made or sent.
  bool closing_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  grpc::Alarm cut_off_ GUARDED_BY(mutex_);
  std::shared_ptr<AttachSession> self_;  // Until OnDone: the call needs it.
};

}  // namespace switchyard::scheduler
