#include "worker/tasks/command/command_result.h"

#include <signal.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/tasks/command/policy.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::CommandSpec;
using ::switchyard::worker::v1::SandboxPlan;
using ::switchyard::worker::v1::SandboxReport;

std::string WithLine(std::string message, const std::string& last_error_line) {
  if (!last_error_line.empty()) absl::StrAppend(&message, "; last line: ", last_error_line);
  return message;
}

absl::Status Exited(const CommandSpec& spec, int code, const std::string& last_error_line) {
  const auto& retried = spec.retry_exit_codes();
  const bool retry =
      std::find(retried.begin(), retried.end(), static_cast<uint32_t>(code)) != retried.end();
  return MakeError(
      retry ? absl::StatusCode::kAborted : absl::StatusCode::kFailedPrecondition, "COMMAND_EXITED",
      WithLine(absl::StrCat(spec.program(), " ended with exit code ", code), last_error_line),
      {{"exit_code", absl::StrCat(code)}, {"program", spec.program()}});
}

absl::Status Signalled(const CommandSpec& spec, int number, const std::string& last_error_line) {
  // Nobody sends itself a SIGKILL: the kernel ran out of memory, or an operator helped.
  const bool killed = number == SIGKILL;
  const std::string message =
      absl::StrCat(spec.program(), " was ended by signal ", number, " (", strsignal(number), ")",
                   killed ? ", not by its worker; the host may have run out of memory" : "");
  return MakeError(killed ? absl::StatusCode::kUnavailable : absl::StatusCode::kFailedPrecondition,
                   killed ? "COMMAND_KILLED" : "COMMAND_SIGNALLED",
                   WithLine(message, last_error_line),
                   {{"signal", absl::StrCat(number)}, {"program", spec.program()}});
}

absl::Status GuardFailed(const SandboxReport& report) {
  const std::string guard = GuardName(report.guard());
  return MakeError(absl::StatusCode::kFailedPrecondition, "GUARD_UNAVAILABLE",
                   absl::StrCat("the guard ", guard, " cannot be set up on this host: ",
                                report.message(), ". Give the worker what it needs, or read ",
                                "docs/command-sandbox.md and set commands.guards.", guard,
                                ": OFF in its configuration"),
                   {{"guard", guard}, {"why", report.message()}});
}

absl::Status OutOfMemory(const SandboxPlan& plan, const SandboxReport& report) {
  const std::string limit = absl::StrCat(plan.memory_bytes());
  const std::string peak = absl::StrCat(report.peak_memory_bytes());
  return MakeError(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                   absl::StrCat("its processes together had ", peak, " bytes of memory; the limit ",
                                "is ", limit, ". Ask for more by memory_limit_bytes"),
                   {{"need_bytes", peak}, {"limit_bytes", limit}});
}

}  // namespace

absl::Status StatusOfEnd(const CommandSpec& spec, const SandboxPlan& plan,
                         const SandboxReport& report, const std::string& last_error_line) {
  switch (report.end()) {
    case SandboxReport::ENDED:
      break;
    case SandboxReport::GUARD_FAILED:
      return GuardFailed(report);
    case SandboxReport::START_FAILED:
      return MakeError(
          absl::StatusCode::kFailedPrecondition, "PROGRAM_NOT_STARTED",
          absl::StrCat(spec.program(), " cannot be started: ", report.message(),
                       "; is what it needs under read_paths of the worker's configuration?"),
          {{"program", spec.program()}, {"why", report.message()}});
    case SandboxReport::OUT_OF_MEMORY:
      return OutOfMemory(plan, report);
    case SandboxReport::OUT_OF_CPU_TIME:
      return MakeError(
          absl::StatusCode::kFailedPrecondition, "CPU_TIME_EXCEEDED",
          absl::StrCat(spec.program(), " used ", report.cpu_ms(),
                       " ms of processor time; the limit is ", plan.cpu_ms(), " ms"),
          {{"used_ms", absl::StrCat(report.cpu_ms())}, {"limit_ms", absl::StrCat(plan.cpu_ms())}});
    default:
      return absl::UnavailableError("the sandbox ended without saying how");
  }
  if (report.signal() != 0) return Signalled(spec, report.signal(), last_error_line);
  if (report.exit_code() != 0) return Exited(spec, report.exit_code(), last_error_line);
  return absl::OkStatus();
}

}  // namespace switchyard::worker
