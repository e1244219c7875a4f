#include "scheduler/policy/model_order.h"

#include <algorithm>
#include <functional>
#include <map>

namespace switchyard::scheduler {
namespace {

// Takes one stage after the other, `choose` among those whose predecessors were taken.
std::vector<int> Order(const std::vector<ModelStage>& stages,
                       const std::function<int(const std::vector<int>& ready)>& choose) {
  std::vector<int> order;
  std::vector<bool> taken(stages.size());
  while (order.size() < stages.size()) {
    std::vector<int> ready;
    for (size_t i = 0; i < stages.size(); ++i) {
      const auto& after = stages[i].after;
      const auto done = [&](int earlier) { return taken[earlier]; };
      if (!taken[i] && std::all_of(after.begin(), after.end(), done)) {
        ready.push_back(static_cast<int>(i));
      }
    }
    const int next = choose(ready);
    taken[next] = true;
    order.push_back(next);
  }
  return order;
}

// Those that need no model, since they may let more of the present one begin; then the present
// model's; then the model with most stages ready, the first of equals.
int ChooseByModel(const std::vector<ModelStage>& stages, const std::vector<int>& ready,
                  std::string& model) {
  std::map<std::string, int> counts;
  for (const int stage : ready) {
    if (stages[stage].model.empty()) return stage;
    ++counts[stages[stage].model];
  }
  int best = ready.front();
  for (const int stage : ready) {
    if (stages[stage].model == model) return stage;
    if (counts[stages[stage].model] > counts[stages[best].model]) best = stage;
  }
  model = stages[best].model;
  return best;
}

}  // namespace

std::vector<int> OrderForFewestSwaps(const std::vector<ModelStage>& stages) {
  std::string model;
  std::vector<int> by_model = Order(
      stages, [&](const std::vector<int>& ready) { return ChooseByModel(stages, ready, model); });
  std::vector<int> as_given =
      Order(stages, [](const std::vector<int>& ready) { return ready.front(); });
  return CountSwaps(stages, by_model) <= CountSwaps(stages, as_given) ? by_model : as_given;
}

size_t CountSwaps(const std::vector<ModelStage>& stages, const std::vector<int>& order) {
  size_t swaps = 0;
  std::string model;
  for (const int stage : order) {
    const std::string& next = stages[stage].model;
    if (next.empty() || next == model) continue;
    if (!model.empty()) ++swaps;
    model = next;
  }
  return swaps;
}

}  // namespace switchyard::scheduler
