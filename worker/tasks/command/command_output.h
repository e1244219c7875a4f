// What a program writes, on its way to the log, the progress, the metrics and the outputs.
#pragma once

#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "switchyard/v1/command.pb.h"
#include "worker/executor/executor.h"
#include "worker/tasks/command/line_protocol.h"
#include "worker/tasks/command/output_lines.h"
#include "worker/tasks/command/sandbox_process.h"

namespace switchyard::worker {

// Lines a log takes: this many a second, after so many at once. The rest is counted, not kept.
inline constexpr double kLinesPerSecond = 1000;
inline constexpr double kLinesAtOnce = 5000;

// Not thread-safe. Both outlive it.
class CommandOutputs {
 public:
  CommandOutputs(AttemptContext& context, Clock& clock);
  void Add(Stream stream, absl::string_view bytes);
  void Finish();

  // `::checkpoint` was said since the last call.
  bool TakeCheckpointWish();
  // By `::output`, in order.
  const std::vector<::switchyard::v1::CommandOutput>& declared() const { return declared_; }
  uint64_t dropped_lines() const { return dropped_; }
  // Last line that was not empty on standard error; for the error message.
  const std::string& last_error_line() const { return last_error_line_; }

 private:
  void OnLine(Stream stream, absl::string_view line, bool redrawn);
  void OnProtocol(const ProtocolLine& line);
  void SayDropped();

  AttemptContext& context_;
  Clock& clock_;
  LineSplitter out_, error_;
  RateLimit lines_{kLinesPerSecond, kLinesAtOnce};
  RateLimit metrics_{kLinesPerSecond, kLinesAtOnce};
  RateLimit redrawn_{1, 1};
  bool checkpoint_wish_ = false;
  std::vector<::switchyard::v1::CommandOutput> declared_;
  uint64_t dropped_ = 0;
  uint64_t dropped_said_ = 0;
  std::string last_error_line_;
};

}  // namespace switchyard::worker
