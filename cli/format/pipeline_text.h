// Pipelines, arrays and schedules for people. Thread-safe: pure functions.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "switchyard/v1/array_service.pb.h"
#include "switchyard/v1/pipeline.pb.h"
#include "switchyard/v1/schedule_service.pb.h"

namespace switchyard::cli {

// The graph with the state of each step: earlier steps above later ones, each with those it
// follows.
std::string PipelineText(const v1::Pipeline& pipeline, absl::Time now);
std::string PipelinesTable(const google::protobuf::RepeatedPtrField<v1::Pipeline>& pipelines,
                           absl::Time now);
// "3 of 10 done, 2 running".
std::string ArrayText(const v1::Array& array);
std::string ArraysTable(const google::protobuf::RepeatedPtrField<v1::Array>& arrays,
                        absl::Time now);
std::string ScheduleText(const v1::Schedule& schedule, absl::Time now);
std::string SchedulesTable(const google::protobuf::RepeatedPtrField<v1::Schedule>& schedules,
                           absl::Time now);

}  // namespace switchyard::cli
