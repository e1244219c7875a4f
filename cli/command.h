// A command of the command line: what it is called, what it takes, what it does.
//
// Used by one thread: AddFlags once, then Run at most once.
#pragma once

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/client/client.h"
#include "cli/exit_code.h"
#include "cli/flags/flags.h"

namespace switchyard::cli {

// What every command is run with.
struct Session {
  std::string server;     // HOST:PORT or unix:/PATH of the gateway's gRPC door.
  std::string data;       // Data folder of `up`.
  std::string token;      // Of a key, or the operator's; empty: none.
  std::string program;    // Folder of this binary: the others are beside it.
  bool json = false;      // Answers as JSON, for programs.
  bool terminal = false;  // Standard output is one: bars may be redrawn.
  std::ostream& out = std::cout;

  // Connects on first use.
  Client& client();

 private:
  std::unique_ptr<Client> client_;
};

class Command {
 public:
  virtual ~Command() = default;
  // "jobs", or "limits set" for one in a group.
  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;
  virtual void AddFlags(Flags& flags) = 0;
  virtual absl::StatusOr<ExitCode> Run(Session& session) = 0;
};

// All, in the order of the help page. Places of later ones are listed in cli/README.md.
std::vector<std::unique_ptr<Command>> AllCommands();

}  // namespace switchyard::cli
