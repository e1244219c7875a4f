#include "tests/bench/river.h"

#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace switchyard::bench {

absl::StatusOr<double> MeasureRiver(const std::string& program, const std::string& uri,
                                    const BatchOptions& options) {
  const std::string command =
      absl::StrCat("'", program, "' -uri '", uri, "' -jobs ", options.jobs, " -batch ",
                   options.jobs_per_call, " -inserters ", options.calls_at_once);
  std::FILE* output = popen(command.c_str(), "r");
  if (output == nullptr) return absl::InternalError("cannot start river-bench");
  char line[256] = {};
  const bool answered = std::fgets(line, sizeof line, output) != nullptr;
  double rate = 0;
  if (pclose(output) == 0 && answered &&
      absl::SimpleAtod(absl::StripAsciiWhitespace(line), &rate)) {
    return rate;
  }
  return absl::FailedPreconditionError(absl::StrCat(program, " did not measure"));
}

}  // namespace switchyard::bench
