// Turns the program's arguments into a command that was told them, and a session.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cli/command.h"
#include "cli/exit_code.h"

namespace switchyard::cli {

// Either a command to run, or the code to end with (help was printed, or what was wrong).
struct ParsedCommandLine {
  Command* command = nullptr;
  ExitCode exit_code = ExitCode::kOk;
};

// Fills `session.server` (flag, SWITCHYARD_SERVER, default 127.0.0.1:7070), `session.json` and
// `session.token` (--data, SWITCHYARD_TOKEN, default data folder).
ParsedCommandLine ParseCommandLine(int argc, char** argv,
                                   const std::vector<std::unique_ptr<Command>>& commands,
                                   Session* session);

// Where `up` keeps everything unless told: $SWITCHYARD_DATA, else $XDG_DATA_HOME/switchyard, else
// ~/.local/share/switchyard.
std::string DefaultDataDirectory();

}  // namespace switchyard::cli
