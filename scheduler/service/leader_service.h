// switchyard.worker.v1.LeaderService: tells gateways and workers whether this scheduler leads, now
// and whenever it changes. Served on both listeners, leading or not. Thread-safe; `leadership` and
// `clock` outlive it; it outlives its server.
#pragma once

#include <memory>
#include <set>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "grpcpp/grpcpp.h"
#include "scheduler/engine/leadership.h"
#include "switchyard/worker/v1/leader_service.grpc.pb.h"

namespace switchyard::scheduler {

class LeaderService final : public worker::v1::LeaderService::CallbackService {
 public:
  LeaderService(const Leadership& leadership, Clock& clock)
      : leadership_(leadership), clock_(clock) {}

  grpc::ServerWriteReactor<worker::v1::LeaderNews>* WatchLeader(
      grpc::CallbackServerContext*, const worker::v1::WatchLeaderRequest*) override;

  // Something about the lead changed: tells everybody.
  void Changed();

 private:
  class Watch;
  worker::v1::LeaderNews News() const;
  void Remove(const std::shared_ptr<Watch>& watch);

  const Leadership& leadership_;
  Clock& clock_;
  Mutex mutex_;
  std::set<std::shared_ptr<Watch>> watches_ GUARDED_BY(mutex_);
};

}  // namespace switchyard::scheduler
