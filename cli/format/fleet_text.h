// Devices, workers, the queue and limits as people read them. Pure functions.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "switchyard/v1/fleet_service.pb.h"

namespace switchyard::cli {

std::string DevicesTable(const google::protobuf::RepeatedPtrField<v1::Device>& devices);
// What hardware and libraries there are, a line a device, without use. For the start of `up`.
std::string DeviceLine(const v1::Device& device);
std::string WorkersTable(const google::protobuf::RepeatedPtrField<v1::Worker>& workers,
                         absl::Time now);
std::string SchedulersTable(const google::protobuf::RepeatedPtrField<v1::Scheduler>& schedulers,
                            absl::Time now);
std::string QueueText(const v1::Queue& queue);
std::string LimitsTable(const v1::Limits& limits);

}  // namespace switchyard::cli
