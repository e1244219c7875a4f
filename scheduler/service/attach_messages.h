// Between the worker protocol's messages and the core's values. Thread-safe: pure functions.
//
// What a worker sends is checked here as far as its form goes: enumerations in range, results that
// are results.
#pragma once

#include "absl/status/statusor.h"
#include "scheduler/core/event.h"
#include "scheduler/engine/engine.h"
#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::scheduler {

// INVALID_ARGUMENT when the hello lacks a name or an incarnation.
absl::StatusOr<WorkerAttached> ReadHello(uint64_t session, worker::v1::Hello& hello);

// Moves large parts out of `report`. INVALID_ARGUMENT for a report without a reference or kind, or
// with a result that is not one.
absl::StatusOr<AttemptReport> ReadReport(worker::v1::AttemptReport& report);

WorkerDevice ReadDevice(const v1::Device& device);

HostFigures ReadHostFigures(const v1::HostFigures& figures);
InteractiveUse::Use ReadInteractiveUse(const worker::v1::InteractiveUse& use);
ServingState ReadServing(const worker::v1::ServingState& state);

worker::v1::AttemptRef WriteRef(const AttemptRef& ref);

// How the leases are told to workers.
struct LeaseTimes {
  absl::Duration lease = absl::Seconds(30);
  absl::Duration heartbeat_interval = absl::Seconds(5);
};
void WriteWelcome(const WelcomeWorker& welcome, const LeaseTimes& times,
                  worker::v1::Welcome* message);

// Adds everything of `output` but its welcome.
void WriteDelta(SessionOutput& output, worker::v1::SchedulerDelta* delta);

void WriteLimits(const std::vector<DeviceLimit>& limits,
                 google::protobuf::RepeatedPtrField<worker::v1::DeviceLimit>* message);

}  // namespace switchyard::scheduler
