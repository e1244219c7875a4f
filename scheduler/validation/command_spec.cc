#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/hash/sha256.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/names.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr int kMostArguments = 256;
constexpr size_t kMostArgumentBytes = 60 * 1024;
constexpr size_t kMostVariables = 64;
constexpr int kMostInputs = 256;
constexpr int kMostOutputs = 64;
constexpr int kMostRetryCodes = 16;
constexpr size_t kMostPathBytes = 1024;
constexpr size_t kMostOutputNameBytes = 128;
constexpr uint32_t kTryAgain = 75;  // EX_TEMPFAIL of sysexits.h.
constexpr int64_t kDefaultGraceSeconds = 30;
constexpr int64_t kMostGraceSeconds = 50;  // The worker ends a runner that stops for 60 s.

bool HasNul(absl::string_view text) { return absl::StrContains(text, absl::string_view("\0", 1)); }

bool IsVariableName(absl::string_view name) {
  if (name.empty() || name.size() > 128 || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool IsOutputName(absl::string_view name) {
  if (name.empty() || name.size() > kMostOutputNameBytes) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

// A path inside the work folder.
void CheckRelativePath(absl::string_view path, absl::string_view field, FieldFaults& faults) {
  const auto refuse = [&](absl::string_view why) {
    faults.Add(field, absl::StrCat(why, "; it is \"", Excerpt(path, 100), "\""));
  };
  if (path.empty() || path.size() > kMostPathBytes || HasNul(path)) {
    return faults.Add(field, absl::StrCat("must be 1 to ", kMostPathBytes, " bytes without NUL"));
  }
  if (path[0] == '/') return refuse("must be relative to the work folder");
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part == "..") return refuse("must not contain \"..\"");
  }
}

void CheckArguments(const v1::CommandSpec& spec, FieldFaults& faults) {
  size_t bytes = 0;
  for (const std::string& argument : spec.arguments()) {
    bytes += argument.size() + 1;
    if (HasNul(argument)) return faults.Add("command.arguments", "must not contain NUL bytes");
  }
  if (spec.arguments_size() > kMostArguments || bytes > kMostArgumentBytes) {
    faults.Add("command.arguments", absl::StrCat("must be at most ", kMostArguments, " and ",
                                                 kMostArgumentBytes, " bytes in all"));
  }
}

void CheckEnvironment(const v1::CommandSpec& spec, FieldFaults& faults) {
  if (spec.environment().size() > kMostVariables) {
    faults.Add("command.environment", absl::StrCat("must be at most ", kMostVariables));
  }
  for (const auto& [name, value] : spec.environment()) {
    if (!IsVariableName(name)) {
      faults.Add("command.environment",
                 absl::StrCat("name \"", Excerpt(name, 100),
                              "\" must be [A-Za-z0-9_] and not begin with a digit"));
    } else if (absl::StartsWith(name, "SWITCHYARD_")) {
      faults.Add("command.environment", absl::StrCat(name, " is set by the worker"));
    }
    if (value.size() > kMostInlineBytes || HasNul(value)) {
      faults.Add("command.environment",
                 absl::StrCat("value of ", Excerpt(name, 100), " is too long or contains NUL"));
    }
  }
}

void CheckInputs(const v1::CommandSpec& spec, FieldFaults& faults) {
  if (spec.inputs_size() > kMostInputs)
    return faults.Add("command.inputs", absl::StrCat("must be at most ", kMostInputs));
  std::set<absl::string_view> paths;
  for (int i = 0; i < spec.inputs_size() && !faults.full(); ++i) {
    const v1::CommandInput& input = spec.inputs(i);
    const std::string field = absl::StrCat("command.inputs[", i, "]");
    CheckRelativePath(input.path(), field + ".path", faults);
    if (!input.unpack() && !paths.insert(input.path()).second)
      faults.Add(field + ".path", "is named by another input too");
    if (!IsSha256Hex(input.artifact()))
      faults.Add(field + ".artifact", "must be a SHA-256: 64 lower-case hex digits");
  }
}

void CheckOutputs(const v1::CommandSpec& spec, FieldFaults& faults) {
  if (spec.outputs_size() > kMostOutputs)
    return faults.Add("command.outputs", absl::StrCat("must be at most ", kMostOutputs));
  std::set<absl::string_view> names;
  for (int i = 0; i < spec.outputs_size() && !faults.full(); ++i) {
    const v1::CommandOutput& output = spec.outputs(i);
    const std::string field = absl::StrCat("command.outputs[", i, "]");
    CheckRelativePath(output.path(), field + ".path", faults);
    if (!IsOutputName(output.name())) {
      faults.Add(field + ".name",
                 absl::StrCat("must be 1 to ", kMostOutputNameBytes, " of [A-Za-z0-9._-]"));
    } else if (output.name() == "checkpoint" || output.name() == "events") {
      faults.Add(field + ".name", absl::StrCat(output.name(), " is a name of the worker's own"));
    } else if (!names.insert(output.name()).second) {
      faults.Add(field + ".name", "is named by another output too");
    }
  }
}

void CheckRetryCodes(const v1::CommandSpec& spec, FieldFaults& faults) {
  const bool outside = std::any_of(spec.retry_exit_codes().begin(), spec.retry_exit_codes().end(),
                                   [](uint32_t code) { return code == 0 || code > 255; });
  if (outside || spec.retry_exit_codes_size() > kMostRetryCodes) {
    faults.Add("command.retry_exit_codes",
               absl::StrCat("must be 1 to 255, at most ", kMostRetryCodes));
  }
}

void CheckTimes(const v1::CommandSpec& spec, FieldFaults& faults) {
  if (spec.has_cpu_time() && (!IsLength(spec.cpu_time()) || IsZero(spec.cpu_time())))
    faults.Add("command.cpu_time", "must be longer than 0");
  const google::protobuf::Duration& grace = spec.stop_grace();
  if (!IsLength(grace) || grace.seconds() < 1 || grace.seconds() > kMostGraceSeconds)
    faults.Add("command.stop_grace", absl::StrCat("must be 1 s to ", kMostGraceSeconds, " s"));
}

}  // namespace

void NormalizeCommand(v1::CommandSpec& spec, FieldFaults& faults) {
  if (spec.retry_exit_codes().empty()) spec.add_retry_exit_codes(kTryAgain);
  if (!spec.has_stop_grace()) spec.mutable_stop_grace()->set_seconds(kDefaultGraceSeconds);
  if (!IsModelName(spec.program())) {
    faults.Add("command.program",
               absl::StrCat("must be a program's name in the worker's configuration, never a path: "
                            "1 to 63 of [a-z0-9._-], beginning with a letter or digit; it is \"",
                            Excerpt(spec.program(), 100), "\""));
  }
  if (!spec.working_directory().empty())
    CheckRelativePath(spec.working_directory(), "command.working_directory", faults);
  CheckArguments(spec, faults);
  CheckEnvironment(spec, faults);
  CheckInputs(spec, faults);
  CheckOutputs(spec, faults);
  CheckRetryCodes(spec, faults);
  CheckTimes(spec, faults);
}

}  // namespace switchyard::scheduler
