// Runs a trace of jobs through the scheduler's own core: what needs the core is done by the binary
// that has it.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"

namespace switchyard::cli {
namespace {

class Simulate final : public Command {
 public:
  std::string name() const override { return "simulate"; }
  std::string summary() const override {
    return "Run a trace of jobs through the scheduler's policies and published ones, and compare";
  }
  void AddFlags(Flags& flags) override { flags.Rest(&arguments_); }

  absl::StatusOr<ExitCode> Run(Session& session) override {
    std::vector<std::string> words = {session.program + "/switchyard-scheduler", "simulate"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    if (session.json) words.push_back("--json");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    return absl::NotFoundError(absl::StrCat("cannot start ", words[0], ": ", std::strerror(errno),
                                            "; it stands beside this program"));
  }

 private:
  std::vector<std::string> arguments_;
};

}  // namespace

std::unique_ptr<Command> MakeSimulate() { return std::make_unique<Simulate>(); }

}  // namespace switchyard::cli
