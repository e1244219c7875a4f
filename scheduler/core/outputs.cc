// Artifacts of a job: what of them its row keeps.
#include <algorithm>

#include "scheduler/core/core_impl.h"

namespace switchyard::scheduler {
namespace {

bool IsEvents(const OutputArtifact& output) { return output.name == kEventsOutput; }

void DropOldestEvents(std::vector<OutputArtifact>& outputs) {
  size_t events = static_cast<size_t>(std::count_if(outputs.begin(), outputs.end(), IsEvents));
  for (; events > kEventSegmentsKept; --events) {
    outputs.erase(std::find_if(outputs.begin(), outputs.end(), IsEvents));
  }
}

}  // namespace

void Core::Impl::AddOutput(uint32_t job, const OutputArtifact& artifact) {
  JobCold& cold = Cold(job);
  auto same = cold.outputs.end();
  if (!IsEvents(artifact)) {
    same = std::find_if(cold.outputs.begin(), cold.outputs.end(),
                        [&](const OutputArtifact& output) { return output.name == artifact.name; });
  }
  OutputArtifact& kept = same == cold.outputs.end() ? cold.outputs.emplace_back() : *same;
  kept = artifact;
  kept.attempt = cold.attempt_count;
}

void Core::Impl::AddOutputs(uint32_t job, const std::vector<OutputArtifact>& artifacts) {
  JobCold& cold = Cold(job);
  if (std::any_of(artifacts.begin(), artifacts.end(), IsEvents)) {
    const auto told = [&](const OutputArtifact& output) {
      return IsEvents(output) && output.attempt == cold.attempt_count;
    };
    cold.outputs.erase(std::remove_if(cold.outputs.begin(), cold.outputs.end(), told),
                       cold.outputs.end());
  }
  for (const OutputArtifact& artifact : artifacts) AddOutput(job, artifact);
  DropOldestEvents(cold.outputs);
}

void Core::Impl::Take(uint32_t index, const EventsStored& report) {
  const uint32_t job = attempts_[index].job;
  AddOutputs(job, report.artifacts);
  MarkStored(job);
}

}  // namespace switchyard::scheduler
