// How `switchyard` ends, for scripts. Printed by `switchyard --help`.
#pragma once

#include "absl/status/status.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::cli {

enum class ExitCode {
  kOk = 0,
  kJobFailed = 1,    // The command worked; the job it followed or waited for did not succeed.
  kUsage = 2,        // Wrong arguments, or a request the service calls invalid.
  kUnreachable = 3,  // No answer from the server.
  kNotFound = 4,     // The job, model, artifact or file does not exist.
  kRefused = 5,      // Not possible in the present state, not allowed, or over a limit.
  kTimeOver = 6,     // The time given was over first.
  kInternal = 7,     // A bug or damage somewhere.
};

inline constexpr char kExitCodesHelp[] =
    "Exit codes: 0 ok, 1 the job did not succeed, 2 wrong arguments, 3 no answer from the server,\n"
    "4 no such thing, 5 refused (state, permission, limit), 6 time over, 7 internal error.";

// Of an error.
ExitCode ExitCodeOf(const absl::Status& status);

// Of a job that has ended: kOk when it succeeded, the program's own exit code when it is a command
// that ended with one, else kJobFailed.
ExitCode ExitCodeOf(const v1::Job& job);

}  // namespace switchyard::cli
