// Follows one job to its end: a bar that is redrawn on a terminal, lines elsewhere, events as JSON
// lines with --json.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/command.h"
#include "switchyard/v1/event.pb.h"

namespace switchyard::cli {

struct FollowOptions {
  bool logs = true;
  bool bar = true;  // Progress and metrics.
};

// Turns events into what is shown. Not thread-safe.
class EventPrinter {
 public:
  EventPrinter(Session& session, FollowOptions options) : session_(session), options_(options) {}
  void Print(const v1::JobEvent& event);
  // Clears the bar and shows what is held back. No events after this.
  void Finish();

 private:
  void PrintLine(const std::string& line);
  void PrintState(const v1::Job& job);
  void PrintProgress(const v1::Progress& progress);
  void PrintMetric(const v1::Metric& metric);
  void FlushEpoch();
  void DrawBar();

  Session& session_;
  const FollowOptions options_;
  bool drawn_ = false;
  double fraction_ = 0;
  std::string message_;
  std::string printed_message_;
  std::map<std::string, double> latest_;  // Of series that are not per epoch.
  uint64_t epoch_ = 0;
  std::map<std::string, double> epoch_figures_;
};

// Watches until the job has ended, over lost streams (up to 60 s of them). Returns the whole job.
absl::StatusOr<v1::Job> FollowJob(Session& session, const std::string& id, FollowOptions options);

// FollowJob, then prints how it ended and its result.
absl::StatusOr<ExitCode> FollowToEnd(Session& session, const std::string& id,
                                     FollowOptions options);

}  // namespace switchyard::cli
