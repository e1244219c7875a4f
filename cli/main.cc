// The command line: parses, runs one command, says how it ended.
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "cli/command.h"
#include "cli/flags/command_line.h"
#include "cli/format/error_text.h"
#include "common/log/log.h"

int main(int argc, char** argv) {
  using switchyard::cli::ExitCode;
  switchyard::SetupLog("switchyard", switchyard::LogLevel::kWarning);
  switchyard::cli::Session session;
  session.terminal = isatty(STDOUT_FILENO) == 1;
  std::error_code error;
  session.program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const auto commands = switchyard::cli::AllCommands();
  const auto parsed = switchyard::cli::ParseCommandLine(argc, argv, commands, &session);
  if (parsed.command == nullptr) return static_cast<int>(parsed.exit_code);
  const absl::StatusOr<ExitCode> done = parsed.command->Run(session);
  session.out.flush();
  if (done.ok()) return static_cast<int>(*done);
  std::cerr << switchyard::cli::ErrorText(done.status(), session.server);
  return static_cast<int>(switchyard::cli::ExitCodeOf(done.status()));
}
