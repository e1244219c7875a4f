// Pipelines as the services and the keeper handle them: checked, turned into what the engine takes,
// and shown. What is kept of a pipeline is one document; how it stands follows from its jobs.
//
// Thread-safe: functions over the backend; those that read may wait on the disk.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "scheduler/pipeline/expansion.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/job_counts.h"
#include "switchyard/storage/v1/pipeline_record.pb.h"
#include "switchyard/v1/pipeline.pb.h"

namespace switchyard::scheduler {

inline constexpr char kPipelineCollection[] = "pipeline";

DocumentKey PipelineKey(const std::string& tenant, const std::string& id);

// A pipeline that may be submitted.
struct PreparedPipeline {
  storage::v1::PipelineRecord record;
  Expansion expansion;
};

// Checks a pipeline for its caller, looks up what it refers to, gives it an id and expands what is
// known of it. INVALID_ARGUMENT names every fault; else as CreateJob refuses jobs.
absl::StatusOr<PreparedPipeline> PreparePipeline(const Backend& backend, const Principal& principal,
                                                 v1::Pipeline pipeline);

// The input that submits it and stores its document in the same transaction. `done` is not set.
Input MakePipelineInput(PreparedPipeline prepared, bool validate_only);

// The same for what has become known since: nothing happens when the document is not as it was in
// `record` any more (ABORTED: look again).
Input MakeExpansionInput(const storage::v1::PipelineRecord& record, Expansion expansion);

absl::StatusOr<storage::v1::PipelineRecord> ParsePipelineRecord(const DocumentRow& row);
// NOT_FOUND.
absl::StatusOr<storage::v1::PipelineRecord> FindPipeline(const Backend& backend,
                                                         const std::string& tenant,
                                                         const std::string& id);

// The pipeline as it is now.
absl::Status ShowPipeline(const Backend& backend, const JobCounter& counter,
                          const storage::v1::PipelineRecord& record, v1::Pipeline* to);

// Whether every step has its jobs.
bool IsExpanded(const storage::v1::PipelineRecord& record);

}  // namespace switchyard::scheduler
