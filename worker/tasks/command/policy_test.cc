#include "worker/tasks/command/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "worker/report/report.h"
#include "worker/tasks/command/command_result.h"
#include "worker/tasks/command/environment.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::CommandSpec;
using ::switchyard::worker::v1::Assignment;
using ::switchyard::worker::v1::SandboxPlan;
using ::switchyard::worker::v1::SandboxReport;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

CommandPolicy Policy() {
  CommandPolicy policy;
  CommandPolicy::Program& program = *policy.add_programs();
  program.set_name("python3");
  program.set_path("/usr/bin/python3");
  program.add_allowed_environment("EPOCHS");
  std::vector<FieldViolation> faults;
  CompleteCommandPolicy(uint64_t{4} << 30, &policy, &faults);
  EXPECT_THAT(faults, IsEmpty());
  return policy;
}

TEST(CommandPolicy, DefaultsAreThoseOfTheProto) {
  const CommandPolicy policy = Policy();
  EXPECT_EQ(policy.first_uid(), 2'000'000'000u);
  EXPECT_EQ(policy.uid_count(), 1000u);
  EXPECT_EQ(policy.memory_bytes(), uint64_t{4} << 30);
  EXPECT_EQ(policy.processes(), 1024u);
  EXPECT_EQ(policy.open_files(), 4096u);
  EXPECT_FALSE(policy.allow_network());
}

TEST(CommandPolicy, EveryFaultIsNamed) {
  CommandPolicy policy;
  for (const char* name : {"Python", "sh", "sh"}) policy.add_programs()->set_name(name);
  policy.mutable_programs(1)->set_path("bin/sh");
  policy.mutable_programs(2)->set_path("/bin/sh");
  policy.mutable_programs(2)->add_read_paths("data");
  std::vector<FieldViolation> faults;
  CompleteCommandPolicy(0, &policy, &faults);
  std::string all;
  for (const FieldViolation& fault : faults) all += fault.field + " ";
  EXPECT_THAT(all, HasSubstr("programs[0].name"));
  EXPECT_THAT(all, HasSubstr("programs[0].path"));
  EXPECT_THAT(all, HasSubstr("programs[1].path"));
  EXPECT_THAT(all, HasSubstr("programs[2].name"));
  EXPECT_THAT(all, HasSubstr("programs[2].read_paths"));
}

TEST(CommandPolicy, OnlyListedProgramsAndTheErrorListsThem) {
  const CommandPolicy policy = Policy();
  EXPECT_TRUE(FindProgram(policy, "python3").ok());
  const absl::Status status = FindProgram(policy, "bash").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("python3"));
}

TEST(CommandPolicy, OnlyListedVariablesNetworkAndMemoryAreGiven) {
  CommandPolicy policy = Policy();
  const auto check = [&policy](const CommandSpec& spec) {
    return CheckAgainstPolicy(policy, policy.programs(0), spec);
  };
  CommandSpec spec;
  (*spec.mutable_environment())["EPOCHS"] = "3";
  EXPECT_TRUE(check(spec).ok());
  (*spec.mutable_environment())["LD_PRELOAD"] = "x";
  EXPECT_THAT(std::string(check(spec).message()), HasSubstr("LD_PRELOAD"));
  CommandSpec network;
  network.set_network(true);
  EXPECT_EQ(check(network).code(), absl::StatusCode::kPermissionDenied);
  policy.set_allow_network(true);
  EXPECT_TRUE(check(network).ok());
  CommandSpec memory;
  memory.set_memory_limit_bytes(uint64_t{5} << 30);
  EXPECT_EQ(check(memory).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CommandPolicy, EveryGuardIsOnUnlessSwitchedOff) {
  CommandPolicy policy = Policy();
  CommandSpec spec;
  EXPECT_EQ(GuardsFor(policy, spec).size(), 8u);
  spec.set_network(true);
  EXPECT_THAT(GuardsFor(policy, spec), Not(Contains(SandboxPlan::NETWORK)));
  policy.mutable_guards()->set_landlock(CommandPolicy::OFF);
  EXPECT_THAT(GuardsFor(policy, spec), Not(Contains(SandboxPlan::LANDLOCK)));
  EXPECT_THAT(GuardsFor(policy, spec), Contains(SandboxPlan::SECCOMP));
}

std::vector<std::string> Environment(const DeviceHandle& device, const Assignment& assignment,
                                     const api::Job& job) {
  CommandPolicy::Program program;
  (*program.mutable_environment())["EPOCHS"] = "1";
  (*program.mutable_environment())["HF_HOME"] = "/models";
  return MakeEnvironment(program, job, assignment, device, {"/work", "/tmp"});
}

TEST(CommandEnvironment, TheJobsVariablesWinOverTheProgramsAndTheWorkersOverBoth) {
  api::Job job;
  job.set_id("0abc");
  job.set_array_index(7);
  (*job.mutable_command()->mutable_environment())["EPOCHS"] = "3";
  (*job.mutable_command()->mutable_environment())["HOME"] = "/root";
  job.mutable_command()->mutable_stop_grace()->set_seconds(20);
  Assignment assignment;
  assignment.mutable_ref()->set_attempt(2);
  const auto set = Environment({.device = "cpu", .threads = 3}, assignment, job);
  for (const char* entry :
       {"EPOCHS=3", "HF_HOME=/models", "HOME=/work", "TMPDIR=/tmp",
        "CUDA_VISIBLE_DEVICES=", "OMP_NUM_THREADS=3", "SWITCHYARD_JOB=0abc", "SWITCHYARD_ATTEMPT=2",
        "SWITCHYARD_DEVICE=cpu", "SWITCHYARD_ARRAY_INDEX=7", "SWITCHYARD_GRACE_SECONDS=20",
        "SWITCHYARD_CHECKPOINT=/work/checkpoint"}) {
    EXPECT_THAT(set, Contains(entry));
  }
  EXPECT_THAT(set, Not(Contains(StartsWith("RANK="))));
}

TEST(CommandEnvironment, AGpuIsNamedByItsUuidAndAGangAsTorchrunDoes) {
  Assignment assignment;
  assignment.mutable_gang()->set_size(4);
  assignment.mutable_gang()->set_rank(2);
  assignment.mutable_gang()->set_members(4);
  assignment.mutable_gang()->set_member(2);
  assignment.mutable_gang()->set_rendezvous("10.0.0.5:29500");
  const auto set = Environment({.device = "cuda:1", .uuid = "GPU-12ab"}, assignment, api::Job());
  for (const char* entry : {"CUDA_VISIBLE_DEVICES=GPU-12ab", "RANK=2", "WORLD_SIZE=4",
                            "LOCAL_RANK=0", "MASTER_ADDR=10.0.0.5", "MASTER_PORT=29500"}) {
    EXPECT_THAT(set, Contains(entry));
  }
}

absl::Status End(const SandboxReport& report) {
  CommandSpec spec;
  spec.set_program("python3");
  spec.add_retry_exit_codes(75);
  SandboxPlan plan;
  plan.set_memory_bytes(1000);
  return StatusOfEnd(spec, plan, report, "ValueError: no");
}

SandboxReport Exited(int code, int number = 0) {
  SandboxReport report;
  report.set_end(SandboxReport::ENDED);
  report.set_exit_code(code);
  report.set_signal(number);
  return report;
}

TEST(CommandEnd, OnlyListedExitCodesAndForeignKillsAreWorthAnotherAttempt) {
  EXPECT_TRUE(End(Exited(0)).ok());
  EXPECT_TRUE(IsPermanent(End(Exited(1))));
  EXPECT_THAT(std::string(End(Exited(1)).message()), HasSubstr("ValueError: no"));
  EXPECT_FALSE(IsPermanent(End(Exited(75))));
  EXPECT_TRUE(IsPermanent(End(Exited(0, SIGSEGV))));
  EXPECT_FALSE(IsPermanent(End(Exited(0, SIGKILL))));
}

TEST(CommandEnd, AFailedGuardIsNamedAndMemoryIsTheOutOfMemoryOutcome) {
  SandboxReport guard;
  guard.set_end(SandboxReport::GUARD_FAILED);
  guard.set_guard(SandboxPlan::LANDLOCK);
  guard.set_message("no Landlock");
  EXPECT_EQ(End(guard).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(End(guard).message()), HasSubstr("guard landlock"));
  SandboxReport memory;
  memory.set_end(SandboxReport::OUT_OF_MEMORY);
  memory.set_peak_memory_bytes(1200);
  EXPECT_TRUE(IsOutOfMemory(End(memory)));
  EXPECT_THAT(std::string(End(memory).message()), HasSubstr("1200"));
}

}  // namespace
}  // namespace switchyard::worker
