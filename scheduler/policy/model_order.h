// In which order the stages of a pipeline stand in the queue, so that devices change models least.
//
// Why: jobs of one account and priority run in the order of submission. Where a stage for one model
// and a stage for another compete for the same devices, taking turns between them loads a model for
// every job; all of one and then all of the other loads two. So the stages are put in order once,
// when they are submitted, and the queue needs to know nothing of pipelines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace switchyard::scheduler {

struct ModelStage {
  std::string model;       // Equal for stages that need the same; empty: needs none.
  std::vector<int> after;  // Stages that come before it, by number.
};

// The numbers of the stages in their order: each comes after those it names, and stages of one
// model stand together where that is allowed. Never more changes of model than in the order as
// given, as far as that is kept. Deterministic: equal input, equal order. REQUIRES: no cycles;
// numbers exist. Costs O(stages^2).
std::vector<int> OrderForFewestSwaps(const std::vector<ModelStage>& stages);

// How often the model changes from one stage to the next; stages without one change nothing.
size_t CountSwaps(const std::vector<ModelStage>& stages, const std::vector<int>& order);

}  // namespace switchyard::scheduler
