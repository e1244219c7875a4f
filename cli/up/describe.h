// What hardware and libraries there are, asked of the one binary that has LibTorch.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cli/up/child_process.h"

namespace switchyard::cli {

// `switchyard-runner describe` while it runs: it takes as long as LibTorch takes to load, so others
// start meanwhile.
class DescribeDevices {
 public:
  // Main thread only (see ChildProcess).
  explicit DescribeDevices(const std::string& program);
  // Collects its output; true once it has ended. Does not block.
  bool Done();
  // Lines for people: the devices, and that work goes on with the CPU when there is no GPU.
  // REQUIRES: Done().
  std::string Text() const;

 private:
  std::unique_ptr<ChildProcess> child_;
  std::string output_;
  absl::Status failed_;
};

// Of the runner's answer, a JSON object: libtorch_version, cuda_version, devices (a list of device,
// name, memory_total_bytes, memory_free_bytes, compute_capability). What it leaves open of the
// processor is read here.
std::string DescribeText(const std::string& json);

}  // namespace switchyard::cli
