// The engine's outgoing port over gRPC: worker sessions, watchers, metrics. Called on the engine's
// thread only.
#pragma once

#include <functional>
#include <utility>

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

  // Called with every Rebuilt. REQUIRES: the engine's thread does not run yet.
  void set_on_rebuilt(std::function<void()> on_rebuilt) { on_rebuilt_ = std::move(on_rebuilt); }

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
  std::function<void()> on_rebuilt_;
};

}  // namespace switchyard::scheduler
