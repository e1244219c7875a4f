#include "worker/tasks/command/policy.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace switchyard::worker {
namespace {

using ::switchyard::v1::CommandSpec;
using ::switchyard::worker::v1::SandboxPlan;

constexpr uint32_t kFirstUid = 2'000'000'000;  // Far above what distributions hand out.
constexpr uint32_t kUidCount = 1000;
constexpr uint64_t kMemoryBytesOnGpu = uint64_t{16} << 30;
constexpr uint32_t kProcesses = 1024;
constexpr uint32_t kOpenFiles = 4096;
constexpr uint64_t kFileBytes = uint64_t{64} << 30;

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= 63 && absl::ascii_isalnum(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '_' ||
                  c == '-';
         });
}

void CheckProgram(const CommandPolicy::Program& program, const std::string& field,
                  std::vector<FieldViolation>* faults) {
  if (!IsName(program.name())) {
    faults->push_back({field + ".name", "must be 1 to 63 of [a-z0-9._-]"});
  }
  if (!absl::StartsWith(program.path(), "/")) {
    faults->push_back({field + ".path", "must be the absolute path of an executable"});
  }
  for (const std::string& path : program.read_paths()) {
    if (!absl::StartsWith(path, "/"))
      faults->push_back({field + ".read_paths", absl::StrCat("\"", path, "\" is not absolute")});
  }
}

template <typename Number>
Number Or(Number value, Number otherwise) {
  return value != 0 ? value : otherwise;
}

bool On(CommandPolicy::Guard guard) { return guard != CommandPolicy::OFF; }

}  // namespace

void CompleteCommandPolicy(uint64_t device_memory_bytes, CommandPolicy* policy,
                           std::vector<FieldViolation>* faults) {
  std::set<std::string> names;
  for (int i = 0; i < policy->programs_size(); ++i) {
    const std::string field = absl::StrCat("commands.programs[", i, "]");
    CheckProgram(policy->programs(i), field, faults);
    if (!names.insert(policy->programs(i).name()).second)
      faults->push_back({field + ".name", "is the name of another program too"});
  }
  if (!policy->cgroup().empty() && !absl::StartsWith(policy->cgroup(), "/"))
    faults->push_back({"commands.cgroup", "must be an absolute path"});
  policy->set_first_uid(Or(policy->first_uid(), kFirstUid));
  policy->set_uid_count(Or(policy->uid_count(), kUidCount));
  policy->set_memory_bytes(Or(policy->memory_bytes(), Or(device_memory_bytes, kMemoryBytesOnGpu)));
  policy->set_processes(Or(policy->processes(), kProcesses));
  policy->set_open_files(Or(policy->open_files(), kOpenFiles));
  policy->set_file_bytes(Or(policy->file_bytes(), kFileBytes));
  policy->set_artifact_bytes(Or(policy->artifact_bytes(), kFileBytes));
}

absl::StatusOr<const CommandPolicy::Program*> FindProgram(const CommandPolicy& policy,
                                                          absl::string_view name) {
  for (const CommandPolicy::Program& program : policy.programs()) {
    if (name == program.name()) return &program;
  }
  const std::string there = absl::StrJoin(
      policy.programs(), ", ",
      [](std::string* out, const CommandPolicy::Program& p) { absl::StrAppend(out, p.name()); });
  return MakeError(absl::StatusCode::kFailedPrecondition, "PROGRAM_NOT_LISTED",
                   absl::StrCat("this worker lists no program \"", name,
                                "\"; it lists: ", there.empty() ? "none" : there,
                                ". Its operator adds programs under commands.programs"),
                   {{"program", name}});
}

absl::Status CheckAgainstPolicy(const CommandPolicy& policy, const CommandPolicy::Program& program,
                                const CommandSpec& spec) {
  for (const auto& [name, value] : spec.environment()) {
    const auto& allowed = program.allowed_environment();
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
    return MakeError(absl::StatusCode::kPermissionDenied, "VARIABLE_NOT_LISTED",
                     absl::StrCat("jobs may not set ", name, " for ", program.name(),
                                  " on this worker; its operator lists such variables under "
                                  "allowed_environment"),
                     {{"variable", name}, {"program", program.name()}});
  }
  if (spec.network() && !policy.allow_network()) {
    return MakeError(absl::StatusCode::kPermissionDenied, "NETWORK_NOT_ALLOWED",
                     "this worker gives commands no network; its operator sets "
                     "commands.allow_network to change that");
  }
  if (spec.memory_limit_bytes() > policy.memory_bytes()) {
    const std::string asked = absl::StrCat(spec.memory_limit_bytes());
    const std::string most = absl::StrCat(policy.memory_bytes());
    return MakeError(absl::StatusCode::kFailedPrecondition, "MEMORY_NOT_ALLOWED",
                     absl::StrCat("the job asks for a memory limit of ", asked,
                                  " bytes; this worker gives a command at most ", most),
                     {{"asked", asked}, {"most", most}});
  }
  return absl::OkStatus();
}

std::vector<SandboxPlan::Guard> GuardsFor(const CommandPolicy& policy, const CommandSpec& spec) {
  const CommandPolicy::Guards& guards = policy.guards();
  std::vector<SandboxPlan::Guard> on;
  if (On(guards.user())) on.push_back(SandboxPlan::USER);
  if (On(guards.mounts())) on.push_back(SandboxPlan::MOUNTS);
  if (On(guards.processes())) on.push_back(SandboxPlan::PROCESSES);
  if (On(guards.ipc())) on.push_back(SandboxPlan::IPC);
  if (On(guards.network()) && !spec.network()) on.push_back(SandboxPlan::NETWORK);
  if (On(guards.landlock())) on.push_back(SandboxPlan::LANDLOCK);
  if (On(guards.seccomp())) on.push_back(SandboxPlan::SECCOMP);
  if (On(guards.memory())) on.push_back(SandboxPlan::MEMORY);
  return on;
}

std::string GuardName(SandboxPlan::Guard guard) {
  return absl::AsciiStrToLower(SandboxPlan::Guard_Name(guard));
}

}  // namespace switchyard::worker
