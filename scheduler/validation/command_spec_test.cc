#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/validation/job_spec.h"

namespace switchyard::scheduler {
namespace {

using ::testing::HasSubstr;

constexpr char kHash[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

v1::CommandSpec Good() {
  v1::CommandSpec spec;
  spec.set_program("python3");
  spec.add_arguments("train.py");
  return spec;
}

std::string Faults(v1::CommandSpec spec) {
  FieldFaults faults("job");
  NormalizeCommand(spec, faults);
  return std::string(faults.ToStatus().message());
}

TEST(CommandSpec, DefaultsAreThoseOfTheProto) {
  v1::CommandSpec spec = Good();
  FieldFaults faults("job");
  NormalizeCommand(spec, faults);
  EXPECT_TRUE(faults.empty()) << faults.ToStatus();
  ASSERT_EQ(spec.retry_exit_codes_size(), 1);
  EXPECT_EQ(spec.retry_exit_codes(0), 75u);
  EXPECT_EQ(spec.stop_grace().seconds(), 30);
}

TEST(CommandSpec, AProgramIsANameAndNeverAPath) {
  for (const char* program : {"", "/bin/sh", "../sh", "bin/sh", "Sh", "a b"}) {
    v1::CommandSpec spec = Good();
    spec.set_program(program);
    EXPECT_THAT(Faults(spec), HasSubstr("command.program")) << program;
  }
}

TEST(CommandSpec, PathsStayInTheWorkFolder) {
  for (const char* path : {"", "/etc/passwd", "../x", "a/../../x", ".."}) {
    v1::CommandSpec input = Good();
    auto* file = input.add_inputs();
    file->set_path(path);
    file->set_artifact(kHash);
    EXPECT_THAT(Faults(input), HasSubstr("inputs[0].path")) << path;
    v1::CommandSpec output = Good();
    output.add_outputs()->set_path(path);
    output.mutable_outputs(0)->set_name("x");
    EXPECT_THAT(Faults(output), HasSubstr("outputs[0].path")) << path;
  }
  v1::CommandSpec folder = Good();
  folder.set_working_directory("a/../..");
  EXPECT_THAT(Faults(folder), HasSubstr("working_directory"));
}

TEST(CommandSpec, AnInputIsAHashAndComesOnce) {
  v1::CommandSpec spec = Good();
  for (int i = 0; i < 2; ++i) {
    auto* input = spec.add_inputs();
    input->set_path("a");
    input->set_artifact(i == 0 ? kHash : "nonsense");
  }
  EXPECT_THAT(Faults(spec), HasSubstr("inputs[1].artifact"));
  EXPECT_THAT(Faults(spec), HasSubstr("inputs[1].path"));
}

TEST(CommandSpec, AnOutputNameIsNotOneOfTheWorkers) {
  for (const char* name : {"checkpoint", "events", "a/b", ""}) {
    v1::CommandSpec spec = Good();
    spec.add_outputs()->set_path("x");
    spec.mutable_outputs(0)->set_name(name);
    EXPECT_THAT(Faults(spec), HasSubstr("outputs[0].name")) << name;
  }
}

TEST(CommandSpec, VariablesOfTheWorkerCannotBeSet) {
  v1::CommandSpec spec = Good();
  (*spec.mutable_environment())["SWITCHYARD_JOB"] = "x";
  EXPECT_THAT(Faults(spec), HasSubstr("SWITCHYARD_JOB"));
  v1::CommandSpec odd = Good();
  (*odd.mutable_environment())["A=B"] = "x";
  EXPECT_THAT(Faults(odd), HasSubstr("environment"));
}

TEST(CommandSpec, NulBytesAndEndlessListsAreRefused) {
  v1::CommandSpec nul = Good();
  nul.add_arguments(std::string("a\0b", 3));
  EXPECT_THAT(Faults(nul), HasSubstr("command.arguments"));
  v1::CommandSpec many = Good();
  for (int i = 0; i < 300; ++i) many.add_arguments(std::string("x"));
  EXPECT_THAT(Faults(many), HasSubstr("command.arguments"));
}

TEST(CommandSpec, GraceAndRetryCodesAreBounded) {
  v1::CommandSpec spec = Good();
  spec.mutable_stop_grace()->set_seconds(51);
  spec.add_retry_exit_codes(0);
  spec.mutable_cpu_time();
  EXPECT_THAT(Faults(spec), HasSubstr("stop_grace"));
  EXPECT_THAT(Faults(spec), HasSubstr("retry_exit_codes"));
  EXPECT_THAT(Faults(spec), HasSubstr("cpu_time"));
}

v1::Job CommandJob(bool network) {
  v1::Job job;
  *job.mutable_command() = Good();
  job.mutable_command()->set_network(network);
  job.set_priority(5);
  return job;
}

TEST(CommandScopes, ACommandNeedsItsScopeAndTheNetworkAnother) {
  const FieldFaults faults("job");
  const SubmitRules none, commands{.commands = true};
  const SubmitRules both{.commands = true, .commands_network = true};
  EXPECT_EQ(CheckAllowed(CommandJob(false), none, faults).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(CheckAllowed(CommandJob(false), commands, faults).ok());
  const absl::Status refused = CheckAllowed(CommandJob(true), commands, faults);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("commands.network"));
  EXPECT_TRUE(CheckAllowed(CommandJob(true), both, faults).ok());
}

}  // namespace
}  // namespace switchyard::scheduler
