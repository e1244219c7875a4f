#include "cli/flags/command_line.h"

#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

class Recorder final : public Command {
 public:
  explicit Recorder(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return "records"; }
  void AddFlags(Flags& flags) override {
    flags.Text("WHAT", &what, "what", Need::kRequired);
    flags.List("--label", &labels, "labels");
    flags.Number("--count", &count, "count");
  }
  absl::StatusOr<ExitCode> Run(Session&) override { return ExitCode::kOk; }

  std::string what;
  std::vector<std::string> labels;
  std::optional<uint64_t> count;

 private:
  const std::string name_;
};

class Passing final : public Command {
 public:
  std::string name() const override { return "pass"; }
  std::string summary() const override { return "passes on"; }
  void AddFlags(Flags& flags) override { flags.Rest(&rest); }
  absl::StatusOr<ExitCode> Run(Session&) override { return ExitCode::kOk; }

  std::vector<std::string> rest;
};

class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    unsetenv("SWITCHYARD_SERVER");
    for (const char* name : {"run", "group set", "group show"}) {
      auto command = std::make_unique<Recorder>(name);
      recorders_.push_back(command.get());
      commands_.push_back(std::move(command));
    }
    auto passing = std::make_unique<Passing>();
    passing_ = passing.get();
    commands_.push_back(std::move(passing));
  }
  ParsedCommandLine Parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "switchyard");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return ParseCommandLine(static_cast<int>(argv.size()), argv.data(), commands_, &session_);
  }

  std::vector<std::unique_ptr<Command>> commands_;
  std::vector<Recorder*> recorders_;
  Passing* passing_ = nullptr;
  Session session_;
};

TEST_F(CommandLineTest, GivesTheCommandItsArguments) {
  const auto parsed = Parse({"run", "--label", "a=b", "it", "--label", "c=d", "--count", "3"});
  ASSERT_EQ(parsed.command, recorders_[0]);
  EXPECT_EQ(recorders_[0]->what, "it");
  EXPECT_THAT(recorders_[0]->labels, testing::ElementsAre("a=b", "c=d"));
  EXPECT_EQ(recorders_[0]->count, 3u);
}

TEST_F(CommandLineTest, ACommandThatPassesOnGetsEverythingAfterItsName) {
  ASSERT_EQ(Parse({"pass", "file", "--load", "1,2", "-h", "--json", "--", "x"}).command, passing_);
  EXPECT_THAT(passing_->rest,
              testing::ElementsAre("file", "--load", "1,2", "-h", "--json", "--", "x"));
  ASSERT_EQ(Parse({"--json", "pass", "--load", "1"}).command, passing_);
  EXPECT_THAT(passing_->rest, testing::ElementsAre("--load", "1"));
  EXPECT_TRUE(session_.json);
}

TEST_F(CommandLineTest, FindsACommandInItsGroup) {
  EXPECT_EQ(Parse({"group", "set", "x"}).command, recorders_[1]);
}

TEST_F(CommandLineTest, TakesGeneralFlagsBeforeAndAfterTheCommand) {
  ASSERT_NE(Parse({"--server", "127.0.0.1:1", "run", "x", "--json"}).command, nullptr);
  EXPECT_EQ(session_.server, "127.0.0.1:1");
  EXPECT_TRUE(session_.json);
}

TEST_F(CommandLineTest, TheEnvironmentNamesTheServer) {
  setenv("SWITCHYARD_SERVER", "127.0.0.1:2", 1);
  ASSERT_NE(Parse({"run", "x"}).command, nullptr);
  EXPECT_EQ(session_.server, "127.0.0.1:2");
}

TEST_F(CommandLineTest, WrongArgumentsAreUsage) {
  for (const std::vector<std::string>& bad : {std::vector<std::string>{},
                                              {"nope"},
                                              {"run"},
                                              {"run", "x", "--count", "many"},
                                              {"group"}}) {
    const auto parsed = Parse(bad);
    EXPECT_EQ(parsed.command, nullptr);
    EXPECT_EQ(parsed.exit_code, ExitCode::kUsage);
  }
}

}  // namespace
}  // namespace switchyard::cli
