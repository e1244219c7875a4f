// The arguments that every command which submits a job takes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/command.h"

namespace switchyard::cli {

struct JobFlags {
  std::optional<uint64_t> priority;
  std::string device;
  std::vector<std::string> labels;
  std::string timeout;
  std::string expires_in;
  bool detach = false;
  bool check = false;

  void Add(Flags& flags);
  // What was given wins over what `job` has.
  absl::Status Apply(v1::Job* job) const;
  // Submits (or only checks), then follows it to its end unless detached.
  absl::StatusOr<ExitCode> Submit(Session& session, v1::Job job) const;
};

}  // namespace switchyard::cli
