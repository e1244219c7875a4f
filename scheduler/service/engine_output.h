// The engine's outgoing port over gRPC: worker sessions, watchers, metrics. Called on the engine's
// thread only.
#pragma once

#include "scheduler/engine/engine.h"
#include "scheduler/service/attach_session.h"
#include "scheduler/service/metrics.h"
#include "scheduler/watch/event_hub.h"
#include "scheduler/watch/result_hub.h"

namespace switchyard::scheduler {

class ServiceOutput final : public EngineOutput {
 public:
  // All are borrowed.
  ServiceOutput(AttachRegistry& sessions, EventHub& events, ResultHub& results,
                ServiceMetrics& metrics)
      : sessions_(sessions), events_(events), results_(results), metrics_(metrics) {}

  void Send(uint64_t epoch, SessionOutput output) override {
    sessions_.Send(epoch, std::move(output));
  }
  void Publish(absl::Span<const JobNotice> notices) override;
  void Rebuilt(uint64_t epoch) override;

 private:
  AttachRegistry& sessions_;
  EventHub& events_;
  ResultHub& results_;
  ServiceMetrics& metrics_;
};

}  // namespace switchyard::scheduler
