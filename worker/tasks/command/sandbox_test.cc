// Programs that try to get out. Each guard is shown to be what stops them: the same attempt goes
// through when that guard alone is left out. Runs as root and as a user. Where this kernel cannot
// set a guard up, the test demands that the sandbox says so by name instead of going on without.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "worker/sandbox/landlock.h"
#include "worker/tasks/command/host_paths.h"
#include "worker/tasks/command/policy.h"
#include "worker/tasks/command/sandbox_process.h"

namespace switchyard::worker {
namespace {

namespace fs = std::filesystem;
using ::switchyard::worker::v1::SandboxPlan;
using ::switchyard::worker::v1::SandboxReport;
using ::testing::HasSubstr;
using Guards = std::vector<SandboxPlan::Guard>;
using Words = std::vector<std::string>;

const Guards kAll = {SandboxPlan::USER,    SandboxPlan::MOUNTS,  SandboxPlan::PROCESSES,
                     SandboxPlan::IPC,     SandboxPlan::NETWORK, SandboxPlan::LANDLOCK,
                     SandboxPlan::SECCOMP, SandboxPlan::MEMORY};

bool IsRoot() { return geteuid() == 0; }

// Whether this host lets the tests' own user do what the guards need, found out without the
// sandbox.
bool HostCan(const Guards& guards) {
  const auto has = [&guards](SandboxPlan::Guard guard) {
    return std::find(guards.begin(), guards.end(), guard) != guards.end();
  };
  if (has(SandboxPlan::LANDLOCK) && sandbox::LandlockVersion() == 0) return false;
  int flags = has(SandboxPlan::USER) && !IsRoot() ? CLONE_NEWUSER : 0;
  if (has(SandboxPlan::MOUNTS)) flags |= CLONE_NEWNS;
  if (has(SandboxPlan::IPC)) flags |= CLONE_NEWIPC;
  if (has(SandboxPlan::NETWORK)) flags |= CLONE_NEWNET;
  if (has(SandboxPlan::PROCESSES)) flags |= CLONE_NEWPID | CLONE_NEWNS;
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(flags) != 0) _exit(1);
    if (!has(SandboxPlan::PROCESSES)) _exit(0);
    const pid_t first = fork();
    if (first == 0) {
      const bool mounted = mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                           mount("proc", "/proc", "proc", 0, nullptr) == 0;
      _exit(mounted ? 0 : 1);
    }
    int status = 0;
    waitpid(first, &status, 0);
    _exit(WEXITSTATUS(status));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct Ended {
  std::string output;  // Both streams.
  SandboxReport report;
};

class Sandbox : public ::testing::Test {
 protected:
  Sandbox() {
    char name[] = "/tmp/sandbox_test.XXXXXX";
    scratch_ = mkdtemp(name);
    // What stands in for files of others is open to everybody: only a guard is in the way.
    for (const char* folder : {"", "/files", "/tmp", "/root", "/other"}) {
      fs::create_directories(scratch_ + folder);
      chmod((scratch_ + folder).c_str(), 0777);
    }
    std::ofstream(scratch_ + "/other/secret") << "secret";
    chmod((scratch_ + "/other/secret").c_str(), 0666);
  }
  ~Sandbox() override { fs::remove_all(scratch_); }

  SandboxPlan MakePlan(const Guards& guards, const Words& words) const {
    SandboxPlan plan;
    for (const SandboxPlan::Guard guard : guards) plan.add_guards(guard);
    plan.set_program(SWITCHYARD_PROBE);
    plan.add_arguments("probe");
    for (const std::string& word : words) plan.add_arguments(word);
    plan.set_work_folder(scratch_ + "/files");
    plan.set_temporary_folder(scratch_ + "/tmp");
    plan.set_root_folder(scratch_ + "/root");
    for (const std::string& path : SystemPaths(false, false)) plan.add_system_paths(path);
    plan.add_read_paths(SWITCHYARD_PROBE);
    for (const std::string& file : DeviceFiles({.device = "cpu"})) plan.add_devices(file);
    const bool user = std::find(guards.begin(), guards.end(), SandboxPlan::USER) != guards.end();
    // Another number for each test: they run side by side, and a fork bomb fills up its user.
    if (user && IsRoot()) plan.set_uid(2'000'100'000 + static_cast<uint32_t>(getpid()) % 50'000);
    plan.set_memory_bytes(uint64_t{1} << 30);
    plan.set_processes(64);
    return plan;
  }

  static Ended Run(
      const SandboxPlan& plan,
      const std::function<void(SandboxProcess&, const std::string& output)>& look =
          [](SandboxProcess&, const std::string&) {}) {
    Ended ended;
    absl::StatusOr<SandboxProcess> process = SandboxProcess::Start(SWITCHYARD_SANDBOX, plan);
    EXPECT_TRUE(process.ok()) << process.status();
    if (!process.ok()) return ended;
    const auto take = [&ended](Stream, absl::string_view bytes) {
      absl::StrAppend(&ended.output, bytes);
    };
    while (process->Poll(absl::Milliseconds(10), take)) look(*process, ended.output);
    EXPECT_TRUE(process->report().has_value());
    if (process->report().has_value()) ended.report = *process->report();
    while (absl::EndsWith(ended.output, "\n")) ended.output.pop_back();
    return ended;
  }
  Ended Run(const Guards& guards, const Words& words) const { return Run(MakePlan(guards, words)); }
  std::string Try(const Guards& guards, const Words& words) const {
    const Ended ended = Run(guards, words);
    EXPECT_EQ(ended.report.end(), SandboxReport::ENDED) << ended.report.message();
    return ended.output;
  }

  // False where this host cannot set the guards up; then it is the name that is looked at.
  bool Possible(const Guards& guards) const {
    const Ended ended = Run(guards, {"print", "here"});
    EXPECT_EQ(ended.report.end() == SandboxReport::ENDED, HostCan(guards))
        << ended.report.message();
    if (ended.report.end() == SandboxReport::ENDED) {
      EXPECT_EQ(ended.output, "here");
      return true;
    }
    EXPECT_EQ(ended.report.end(), SandboxReport::GUARD_FAILED);
    EXPECT_NE(std::find(guards.begin(), guards.end(), ended.report.guard()), guards.end());
    EXPECT_EQ(ended.output, "") << "the program ran without its guard";
    std::cerr << "not possible on this host: guard " << GuardName(ended.report.guard()) << ": "
              << ended.report.message() << "\n";
    return false;
  }

  // The least that makes namespaces possible: a user's needs a user namespace first.
  static Guards With(SandboxPlan::Guard guard) {
    return IsRoot() ? Guards{guard} : Guards{SandboxPlan::USER, guard};
  }
  static Guards Without() { return IsRoot() ? Guards{} : Guards{SandboxPlan::USER}; }

  std::string secret() const { return scratch_ + "/other/secret"; }
  const std::string& scratch() const { return scratch_; }

 private:
  std::string scratch_;
};

// The probe without any sandbox.
pid_t StartBare(const Words& words, int out) {
  std::vector<std::string> arguments = {"probe"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, out, 1);
  pid_t pid = 0;
  posix_spawn(&pid, SWITCHYARD_PROBE, &files, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  return pid;
}

TEST_F(Sandbox, LandlockStopsReadingAndWritingOutside) {
  if (!Possible({SandboxPlan::LANDLOCK})) return;
  const std::string made = scratch() + "/other/made";
  const Words words = {"read", secret(), "write", secret(), "write", made};
  EXPECT_EQ(Try({SandboxPlan::LANDLOCK}, words), "EACCES\nEACCES\nEACCES");
  EXPECT_FALSE(fs::exists(made));
  EXPECT_EQ(Try({}, words), "ok\nok\nok");
  EXPECT_TRUE(fs::exists(made));
}

TEST_F(Sandbox, LandlockLetsTheWorkFolderBeWrittenButNotRun) {
  if (!Possible({SandboxPlan::LANDLOCK})) return;
  const std::string copy = scratch() + "/files/copy";
  fs::copy_file(SWITCHYARD_PROBE, copy);
  chmod(copy.c_str(), 0755);
  EXPECT_EQ(Try({SandboxPlan::LANDLOCK}, {"write", "made", "execute", copy}), "ok\nEACCES");
  EXPECT_EQ(Try({}, {"execute", copy}), "");
}

TEST_F(Sandbox, AnOwnFileSystemHidesTheRest) {
  if (!Possible(With(SandboxPlan::MOUNTS))) return;
  const Words words = {"read", secret()};
  EXPECT_EQ(Try(With(SandboxPlan::MOUNTS), words), "ENOENT");
  EXPECT_EQ(Try(Without(), words), "ok");
  EXPECT_EQ(Try(With(SandboxPlan::MOUNTS),
                {"write", "/usr/made", "write", "/made", "write", "made", "write", "/tmp/made"}),
            "EROFS\nEROFS\nok\nok");
  EXPECT_TRUE(fs::exists(scratch() + "/files/made"));
}

TEST_F(Sandbox, AnOwnFileSystemHidesUnixSockets) {
  if (!Possible(With(SandboxPlan::MOUNTS))) return;
  const std::string path = scratch() + "/other/socket";
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  chmod(path.c_str(), 0777);
  ASSERT_EQ(listen(listener, 4), 0);
  EXPECT_EQ(Try(With(SandboxPlan::MOUNTS), {"connect-unix", path}), "ENOENT");
  EXPECT_EQ(Try(Without(), {"connect-unix", path}), "ok");
  close(listener);
}

TEST_F(Sandbox, AnotherUserCannotReadWhatIsRoots) {
  if (!Possible({SandboxPlan::USER})) return;
  EXPECT_EQ(Try({SandboxPlan::USER}, {"become-root", ""}), IsRoot() ? "EPERM" : "EINVAL");
  if (!IsRoot()) return;
  EXPECT_EQ(Try({SandboxPlan::USER}, {"read", "/etc/shadow"}), "EACCES");
  EXPECT_EQ(Try({}, {"read", "/etc/shadow"}), "ok");
  EXPECT_NE(Try({SandboxPlan::USER}, {"who", ""}), "0");
}

TEST_F(Sandbox, OtherProcessesAreOutOfReach) {
  if (!Possible(With(SandboxPlan::PROCESSES))) return;
  const Words words = {"kill", absl::StrCat(getpid())};
  EXPECT_EQ(Try(With(SandboxPlan::PROCESSES), words), "ESRCH");
  EXPECT_EQ(Try(Without(), words), "ok");
}

TEST_F(Sandbox, TheHostsLoopbackIsOutOfReachAndTheOwnOneWorks) {
  if (!Possible(With(SandboxPlan::NETWORK))) return;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const Words words = {"connect-tcp", absl::StrCat(ntohs(address.sin_port)), "own-loopback", ""};
  EXPECT_EQ(Try(With(SandboxPlan::NETWORK), words), "ECONNREFUSED\nok");
  EXPECT_EQ(Try(Without(), words), "ok\nok");
  close(listener);
}

TEST_F(Sandbox, SharedMemoryOfOthersIsOutOfReach) {
  if (!Possible(With(SandboxPlan::IPC))) return;
  const key_t key = 0x53590000 + getpid();
  const int id = shmget(key, 4096, IPC_CREAT | 0666);
  ASSERT_GE(id, 0);
  const Words words = {"shared-memory", absl::StrCat(key)};
  EXPECT_EQ(Try(With(SandboxPlan::IPC), words), "ENOENT");
  EXPECT_EQ(Try(Without(), words), "ok");
  shmctl(id, IPC_RMID, nullptr);
}

TEST_F(Sandbox, SeccompStopsTracingNewNamespacesKeysAndOddSockets) {
  if (!Possible({SandboxPlan::SECCOMP})) return;
  const std::string raw = absl::StrCat(AF_PACKET), alg = absl::StrCat(AF_ALG);
  const Words words = {"trace", "", "keys", "", "socket", raw, "socket", alg};
  EXPECT_EQ(Try({SandboxPlan::SECCOMP}, words), "EPERM\nEPERM\nEPERM\nEPERM");
  EXPECT_THAT(Try({}, words), HasSubstr("ok\nok\n"));
  EXPECT_EQ(Try({SandboxPlan::SECCOMP}, {"new-user", ""}), "EPERM");
  EXPECT_EQ(Try({SandboxPlan::SECCOMP}, {"own-loopback", ""}), "ok");
  if (IsRoot()) {
    EXPECT_EQ(Try({}, {"new-user", ""}), "ok");
  }
}

TEST_F(Sandbox, MemoryOverTheLimitEndsTheProgramAndSaysSo) {
  SandboxPlan plan = MakePlan({SandboxPlan::MEMORY}, {"allocate", "160"});
  plan.set_memory_bytes(48 << 20);
  const Ended ended = Run(plan);
  EXPECT_EQ(ended.report.end(), SandboxReport::OUT_OF_MEMORY);
  EXPECT_EQ(ended.output, "");
  EXPECT_GT(ended.report.peak_memory_bytes(), 48u << 20);
  plan.clear_guards();
  const Ended free = Run(plan);
  EXPECT_EQ(free.report.end(), SandboxReport::ENDED);
  EXPECT_EQ(free.output, "ok");
  EXPECT_GT(free.report.peak_memory_bytes(), 150u << 20);
}

TEST_F(Sandbox, MemoryThatForkedProcessesShareCountsOnce) {
  SandboxPlan plan = MakePlan({SandboxPlan::MEMORY}, {"share", "100"});
  plan.set_memory_bytes(200 << 20);
  const Ended ended = Run(plan);
  EXPECT_EQ(ended.report.end(), SandboxReport::ENDED) << ended.report.peak_memory_bytes();
  EXPECT_EQ(ended.output, "ok");
}

TEST_F(Sandbox, ProcessorTimeOverTheLimitEndsTheProgram) {
  SandboxPlan plan = MakePlan({}, {"spin", ""});
  plan.set_cpu_ms(200);
  const Ended ended = Run(plan);
  EXPECT_EQ(ended.report.end(), SandboxReport::OUT_OF_CPU_TIME);
  EXPECT_GE(ended.report.cpu_ms(), 200u);
}

TEST_F(Sandbox, DescriptorsAreNotInherited) {
  const int leaked = dup2(open("/dev/null", O_RDONLY), 77);  // Without close-on-exec.
  ASSERT_EQ(leaked, 77);
  EXPECT_EQ(Try({}, {"descriptors", ""}), "0,1,2,");
  int out[2];
  ASSERT_EQ(pipe(out), 0);
  const pid_t bare = StartBare({"descriptors", ""}, out[1]);
  close(out[1]);
  waitpid(bare, nullptr, 0);
  char text[256] = "";
  ASSERT_GT(read(out[0], text, sizeof text - 1), 0);
  EXPECT_THAT(text, HasSubstr("77"));  // It is the sandbox that stops it.
  close(out[0]);
  close(leaked);
}

TEST_F(Sandbox, TheEnvironmentIsWhatThePlanSays) {
  setenv("SWITCHYARD_SECRET", "x", 1);
  SandboxPlan plan = MakePlan({}, {"environment", ""});
  plan.add_environment("A=1");
  EXPECT_EQ(Run(plan).output, "A=1");
}

// Bytes that a daemon writes to `path` after its program ended.
bool Grows(const std::string& path) {
  const auto before = fs::file_size(path);
  absl::SleepFor(absl::Milliseconds(60));  // A dozen of its turns.
  return fs::file_size(path) != before;
}

TEST_F(Sandbox, ADaemonDoesNotOutliveItsProgram) {
  const std::string path = scratch() + "/files/heartbeat";
  std::vector<Guards> cases = {{}, Without()};
  if (Possible(With(SandboxPlan::PROCESSES))) cases.push_back(With(SandboxPlan::PROCESSES));
  for (const Guards& guards : cases) {
    std::ofstream(path).close();
    chmod(path.c_str(), 0666);
    EXPECT_EQ(Try(guards, {"daemon", path}), "ok");
    EXPECT_GE(fs::file_size(path), 3u);
    EXPECT_FALSE(Grows(path)) << guards.size() << " guards";
  }
}

TEST_F(Sandbox, WithoutASandboxADaemonLivesOn) {
  const std::string path = scratch() + "/files/heartbeat";
  int out[2];
  ASSERT_EQ(pipe(out), 0);
  waitpid(StartBare({"daemon", path}, out[1]), nullptr, 0);
  EXPECT_TRUE(Grows(path));
  fs::remove_all(scratch() + "/files");
  // By its command line, which nobody else has.
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    const std::string line((std::istreambuf_iterator<char>(file)), {});
    if (absl::StrContains(line, path)) kill(std::atoi(entry.path().filename().c_str()), SIGKILL);
  }
  close(out[0]);
  close(out[1]);
}

TEST_F(Sandbox, AForkBombIsBoundedAndEndsWithTheCancel) {
  if (!Possible(kAll)) return;
  bool killed = false;
  absl::Time since;
  const Ended ended =
      Run(MakePlan(kAll, {"fork-bomb", ""}), [&](SandboxProcess& process, const std::string& out) {
        if (killed || !absl::StrContains(out, "bombing")) return;
        killed = true;
        since = absl::Now();
        process.Kill();
      });
  EXPECT_TRUE(killed);
  EXPECT_LT(absl::Now() - since, absl::Seconds(5));
  EXPECT_EQ(ended.report.signal(), SIGKILL);
}

TEST_F(Sandbox, AProgramIsAskedToEndAndMayFinish) {
  if (!Possible(kAll)) return;
  bool asked = false;
  const Ended ended =
      Run(MakePlan(kAll, {"obey", "kept"}), [&](SandboxProcess& process, const std::string& out) {
        if (!asked && absl::StrContains(out, "waiting")) process.Terminate(), asked = true;
      });
  EXPECT_EQ(ended.report.exit_code(), 0);
  EXPECT_EQ(ended.output, "waiting\nok");
  EXPECT_TRUE(fs::exists(scratch() + "/files/kept"));
}

TEST_F(Sandbox, AGuardThatCannotBeSetUpIsNamedAndNothingRuns) {
  SandboxPlan plan = MakePlan(With(SandboxPlan::MOUNTS), {"print", "ran"});
  plan.set_root_folder(scratch() + "/root\1");
  std::ofstream(plan.root_folder()).close();  // A file: nothing can be mounted there.
  const Ended ended = Run(plan);
  EXPECT_EQ(ended.report.end(), SandboxReport::GUARD_FAILED);
  EXPECT_EQ(ended.output, "");
  EXPECT_NE(ended.report.message(), "");
}

TEST_F(Sandbox, AMissingProgramAndAMissingReadPathAreNoGuardsFault) {
  SandboxPlan plan = MakePlan({}, {"print", "ran"});
  plan.set_program("/nowhere/program");
  const Ended ended = Run(plan);
  EXPECT_EQ(ended.report.end(), SandboxReport::START_FAILED);
  EXPECT_THAT(ended.report.message(), HasSubstr("/nowhere/program"));
}

TEST_F(Sandbox, ExitCodesAndSignalsAreTold) {
  EXPECT_EQ(Run({}, {"exit", "7"}).report.exit_code(), 7);
  const Ended ended = Run({}, {"end-by-signal", absl::StrCat(SIGSEGV)});
  EXPECT_EQ(ended.report.signal(), SIGSEGV);
}

}  // namespace
}  // namespace switchyard::worker
