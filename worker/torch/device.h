// The device as LibTorch drives it: the runner's Backend, and what each thread does before it
// computes. The headers of this folder never name torch: it stays in the .cc files here.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "worker/executor/backend.h"

namespace switchyard::worker {

// LibTorch's Backend.
std::unique_ptr<Backend> MakeTorchBackend();

// Makes the calling thread's work on `device` deterministic, and on a cpu use its number of
// threads: the same work then gives the same bits. OpenMP keeps that number per thread, so each
// thread that computes calls this first. UNAVAILABLE for a device that is not there, naming those
// that are. Thread-safe.
absl::Status UseDevice(const DeviceHandle& device);

}  // namespace switchyard::worker
