#include "cli/flags/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <map>

namespace switchyard::cli {
namespace {

class CliFlags final : public Flags {
 public:
  explicit CliFlags(CLI::App* app) : app_(app) {}
  void Text(const std::string& name, std::string* value, const std::string& help,
            Need need) override {
    app_->add_option(name, *value, help)->required(need == Need::kRequired);
  }
  void List(const std::string& name, std::vector<std::string>* values, const std::string& help,
            Need need) override {
    // One value a flag, so that `--label a=b ARGUMENT` does not eat the argument.
    CLI::Option* option = app_->add_option(name, *values, help)->required(need == Need::kRequired);
    if (name[0] == '-') option->expected(1)->take_all()->type_size(1)->allow_extra_args(false);
  }
  void Number(const std::string& name, std::optional<uint64_t>* value,
              const std::string& help) override {
    app_->add_option(name, *value, help);
  }
  void Real(const std::string& name, std::optional<double>* value,
            const std::string& help) override {
    app_->add_option(name, *value, help);
  }
  void Rest(std::vector<std::string>* values) override {
    app_->set_help_flag();
    app_->fallthrough(false);
    app_->prefix_command();
    app_->final_callback([this_app = app_, values] { *values = this_app->remaining(); });
  }
  void Switch(const std::string& name, bool* value, const std::string& help) override {
    app_->add_flag(name, *value, help);
  }

 private:
  CLI::App* app_;
};

const char* Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string FirstLine(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// The sub-application a command's name says: "limits set" stands in the group "limits". A group may
// be a command itself, which comes first: "queue", then "queue pause".
CLI::App* AddCommand(CLI::App& app, const Command& command,
                     std::map<std::string, CLI::App*>* groups) {
  const std::string name = command.name();
  const size_t space = name.find(' ');
  if (space == std::string::npos)
    return (*groups)[name] = app.add_subcommand(name, command.summary());
  const std::string group = name.substr(0, space);
  CLI::App*& parent = (*groups)[group];
  if (parent == nullptr) {
    parent = app.add_subcommand(group);
    parent->require_subcommand(1);
    parent->fallthrough();
  }
  const std::string word = name.substr(space + 1), before = parent->get_description();
  parent->description(before.empty() ? word : before + ", " + word);
  return parent->add_subcommand(name.substr(space + 1), command.summary());
}

}  // namespace

std::string DefaultDataDirectory() {
  if (const std::string data = Environment("SWITCHYARD_DATA"); !data.empty()) return data;
  if (const std::string xdg = Environment("XDG_DATA_HOME"); !xdg.empty())
    return xdg + "/switchyard";
  return std::string(Environment("HOME")) + "/.local/share/switchyard";
}

ParsedCommandLine ParseCommandLine(int argc, char** argv,
                                   const std::vector<std::unique_ptr<Command>>& commands,
                                   Session* session) {
  CLI::App app("Switchyard: a queue for GPU work", "switchyard");
  app.require_subcommand(1);
  app.footer(kExitCodesHelp);
  session->server = "127.0.0.1:7070";
  const CLI::Option* server =
      app.add_option("--server", session->server, "HOST:PORT of the gateway's gRPC door")
          ->envname("SWITCHYARD_SERVER")
          ->capture_default_str();
  std::string data = DefaultDataDirectory();
  const CLI::Option* folder = app.add_option(
      "--data", data, "Data folder of `up`; the others find the operator token in it");
  app.add_option("--token", session->token,
                 "Token of a key (default: the operator token of the data folder)")
      ->envname("SWITCHYARD_TOKEN");
  app.add_flag("--json", session->json, "Answer as JSON");
  std::map<CLI::App*, Command*> by_app;
  std::map<std::string, CLI::App*> groups;
  for (const auto& command : commands) {
    CLI::App* sub = AddCommand(app, *command, &groups);
    sub->fallthrough();
    CliFlags flags(sub);
    command->AddFlags(flags);
    by_app[sub] = command.get();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {nullptr, app.exit(error) == 0 ? ExitCode::kOk : ExitCode::kUsage};
  }
  session->data = data;
  // A server that was named may be any: the token of this machine's own folder is not shown to it
  // unless the folder is named too.
  const bool own = server->count() == 0 || folder->count() > 0 ||
                   !std::string(Environment("SWITCHYARD_DATA")).empty();
  if (session->token.empty() && own) session->token = FirstLine(data + "/operator.token");
  CLI::App* chosen = app.get_subcommands().front();
  while (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  return {by_app.at(chosen), ExitCode::kOk};
}

}  // namespace switchyard::cli
