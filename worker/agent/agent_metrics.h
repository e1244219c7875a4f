// What the daemon shows on /metrics.
#pragma once

#include <memory>

#include "prometheus/collectable.h"
#include "worker/agent/agent.h"

namespace switchyard::worker {

// switchyard_worker_attached, _ready, _draining (0 or 1),
// _attempts{state=held|running|unacknowledged}, _attempts_ended_total{outcome},
// _runners_lost_total. `agent` outlives it. Thread-safe.
std::shared_ptr<prometheus::Collectable> MakeAgentMetrics(Agent& agent);

}  // namespace switchyard::worker
