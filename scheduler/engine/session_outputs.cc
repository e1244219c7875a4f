#include "scheduler/engine/session_outputs.h"

#include <utility>

#include "absl/container/flat_hash_map.h"

namespace switchyard::scheduler {

std::vector<SessionOutput> GroupBySession(Effects& effects, std::vector<Assignment> assignments) {
  std::vector<SessionOutput> outputs;
  absl::flat_hash_map<uint64_t, size_t> index;
  const auto to = [&](uint64_t session) -> SessionOutput& {
    const auto [found, first] = index.try_emplace(session, outputs.size());
    if (first) outputs.emplace_back().session = session;
    return outputs[found->second];
  };
  for (WelcomeWorker& welcome : effects.welcomes) {
    to(welcome.session).welcome = std::move(welcome);
  }
  for (PushLimits& push : effects.limits) to(push.session).limits = std::move(push.limits);
  for (PushServingBudgets& push : effects.serving_budgets) {
    auto& budgets = to(push.session).serving_budgets;
    budgets.insert(budgets.end(), push.budgets.begin(), push.budgets.end());
  }
  for (Assignment& assignment : assignments) {
    to(assignment.attempt.session).assignments.push_back(std::move(assignment));
  }
  for (CancelAttempt& cancel : effects.cancels) to(cancel.session).cancels.push_back(cancel);
  for (const SessionRef& recall : effects.recalls) {
    to(recall.session).recalls.push_back(recall.ref);
  }
  for (const SessionRef& done : effects.acknowledgements) {
    to(done.session).acknowledgements.push_back(done.ref);
  }
  for (const HeartbeatAck& heartbeat : effects.heartbeat_acks) {
    to(heartbeat.session).heartbeat_acknowledged = heartbeat.sequence;
  }
  for (const uint64_t session : effects.closed_sessions) to(session).close = true;
  return outputs;
}

}  // namespace switchyard::scheduler
