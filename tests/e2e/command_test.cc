// A user's own training script, from the command line to its artifact, through real processes and a
// real sandbox. Where this host lacks a guard, the job must fail with the guard's name.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/process.h"

namespace switchyard::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// Fits a line by gradient descent, goes on from its checkpoint, and says how far it is.
constexpr char kTrain[] = R"(
import json, os, signal, sys, time
steps, pause = int(sys.argv[1]), float(sys.argv[2])
place = os.environ['SWITCHYARD_CHECKPOINT'] + '/state.json'
state = {'step': 0, 'w': 0.0}
if os.path.exists(place):
    state = json.load(open(place))
print('training begins at step', state['step'], 'on', os.environ['SWITCHYARD_DEVICE'], flush=True)

def keep(*_):
    with open(place + '.new', 'w') as file:
        json.dump(state, file)
    os.rename(place + '.new', place)
    print('kept step', state['step'])
    sys.exit(0)

signal.signal(signal.SIGTERM, keep)
data = [(float(x), 3.0 * x) for x in open('data/points.txt').read().split() for x in [float(x)]]
while state['step'] < steps:
    gradient = sum(2 * (state['w'] * x - y) * x for x, y in data) / len(data)
    state['w'] -= 0.05 * gradient
    state['step'] += 1
    print(f"::metric train/weight {state['step']} {state['w']}")
    print(f"::progress {state['step'] / steps} step {state['step']}")
    time.sleep(pause)
os.makedirs('out', exist_ok=True)
json.dump({'w': round(state['w'], 3)}, open('out/model.json', 'w'))
print('::output log-of-it out/model.json')
)";

struct Output {
  int exit_code;
  std::string text;
};

Output RunShell(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  Output output{-1, ""};
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    output.text.append(buffer, size);
  output.exit_code = WEXITSTATUS(pclose(pipe));
  return output;
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool Eventually(const std::function<bool()>& done, double seconds = 60) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// Whether any process of this host has `text` in its command line.
bool Runs(const std::string& text) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string line = ReadAll(entry.path() / "cmdline");
    if (absl::StrContains(line, text) && !absl::StrContains(line, "switchyard")) return true;
  }
  return false;
}

class CommandTest : public testing::Test {
 protected:
  CommandTest() {
    char pattern[] = "/tmp/sy-command-XXXXXX";
    directory_ = mkdtemp(pattern);
    fs::create_directories(directory_ + "/data");
    std::ofstream(directory_ + "/train.py") << kTrain;
    std::ofstream(directory_ + "/data/points.txt") << "1 2 3\n";
  }
  ~CommandTest() override {
    up_.reset();
    if (HasFailure()) {
      std::fprintf(stderr, "the logs are kept in %s\n", directory_.c_str());
    } else {
      fs::remove_all(directory_);
    }
  }

  void SetUp() override {
    up_ = std::make_unique<Process>(
        std::vector<std::string>{std::string(SWITCHYARD_BIN) + "/switchyard", "up", "--data",
                                 directory_ + "/up", "--http", "127.0.0.1:0", "--grpc",
                                 "127.0.0.1:0", "--workers", "cpu:1", "--allow-command",
                                 "python3=/usr/bin/python3", "--allow-command-env", "EPOCHS",
                                 "--json"},
        directory_ + "/up.log");
    ASSERT_TRUE(Eventually([&] {
      const std::string log = ReadAll(directory_ + "/up.log"), key = "\"grpc\":\"";
      const size_t at = log.find(key);
      if (at == std::string::npos) return false;
      grpc_ = log.substr(at + key.size(), log.find('"', at + key.size()) - at - key.size());
      return true;
    })) << ReadAll(directory_ + "/up.log");
  }

  Output Cli(const std::string& arguments) const {
    return RunShell(absl::StrCat("cd ", directory_, " && ", SWITCHYARD_BIN, "/switchyard --data ",
                                 directory_, "/up --server ", grpc_, " ", arguments));
  }

  // False: this host lacks a guard, and the product said which.
  bool SandboxWorks() {
    const Output output = Cli("run python3 -- -c 'print(\"alive\")'");
    if (output.exit_code == 0) return true;
    EXPECT_THAT(output.text, HasSubstr("the guard "));
    EXPECT_THAT(output.text, Not(HasSubstr("alive")));
    std::fprintf(stderr, "%s\n", output.text.c_str());
    return false;
  }

  std::string Detach(const std::string& arguments) {
    const Output output = Cli(absl::StrCat("run -d ", arguments));
    EXPECT_EQ(output.exit_code, 0) << output.text;
    std::string text = output.text;
    while (absl::EndsWith(text, "\n")) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

  std::string directory_, grpc_;
  std::unique_ptr<Process> up_;
};

constexpr char kInputs[] = "--in train.py --in data python3 -- train.py ";

TEST_F(CommandTest, ATrainingScriptRunsWithLogProgressAndAnArtifact) {
  if (!SandboxWorks()) return;
  const Output output = Cli(absl::StrCat("run --out model=out/model.json ", kInputs, "30 0.01"));
  EXPECT_EQ(output.exit_code, 0) << output.text;
  EXPECT_THAT(output.text, HasSubstr("training begins at step 0 on cpu"));
  EXPECT_THAT(output.text, HasSubstr("SUCCEEDED"));
  EXPECT_THAT(output.text, HasSubstr("exit code 0"));
  const Output jobs = Cli("--json jobs");
  EXPECT_THAT(jobs.text, HasSubstr("log-of-it"));
  const size_t at = jobs.text.find("\"name\": \"model\"");
  ASSERT_NE(at, std::string::npos) << jobs.text;
  const std::string key = "\"sha256\": \"";
  const std::string hash = jobs.text.substr(jobs.text.find(key, at) + key.size(), 64);
  const Output fetched = Cli(absl::StrCat("artifacts get ", hash, " -o got.json"));
  EXPECT_EQ(fetched.exit_code, 0) << fetched.text;
  EXPECT_THAT(ReadAll(directory_ + "/got.json"), HasSubstr("\"w\": 3.0"));
}

TEST_F(CommandTest, TheProgramsExitCodeIsTheCommandLines) {
  if (!SandboxWorks()) return;
  const Output output =
      Cli("run python3 -- -c 'import sys; print(\"bad\", file=sys.stderr); sys.exit(23)'");
  EXPECT_EQ(output.exit_code, 23) << output.text;
  EXPECT_THAT(output.text, HasSubstr("last line: bad"));
}

TEST_F(CommandTest, ACancelLeavesNoProcess) {
  if (!SandboxWorks()) return;
  const std::string mark = absl::StrCat("mark-", getpid());
  const std::string script =
      "import os,signal,time; os.fork(); signal.signal(signal.SIGTERM, signal.SIG_IGN); "
      "time.sleep(600)";
  const std::string job = Detach(absl::StrCat("python3 -- -c '", script, "' ", mark));
  ASSERT_TRUE(Eventually([&] { return Runs(mark); })) << Cli("show " + job).text;
  EXPECT_EQ(Cli("cancel " + job).exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return !Runs(mark); }, 10));
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(Cli("show " + job).text, "CANCELLED"); }))
      << Cli("show " + job).text;
}

TEST_F(CommandTest, AStoppedScriptGoesOnWhereItWas) {
  if (!SandboxWorks()) return;
  const std::string job = Detach(absl::StrCat(kInputs, "100000 0.01"));
  ASSERT_TRUE(
      Eventually([&] { return absl::StrContains(Cli("logs " + job).text, "training begins"); }));
  EXPECT_EQ(Cli("stop " + job).exit_code, 0);
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Cli("show " + job).text, "CANCELLED"); }))
      << Cli("show " + job).text;
  EXPECT_EQ(Cli("retry " + job).exit_code, 0);
  std::string log;
  EXPECT_TRUE(Eventually([&] {
    log = Cli("logs " + job).text;
    const size_t last = log.rfind("training begins at step ");
    return last != std::string::npos && !absl::StrContains(log.substr(last), "at step 0 ") &&
           absl::StrContains(Cli("show " + job).text, "RUNNING");
  })) << log
      << Cli("show " + job).text;
  Cli("cancel " + job);
}

TEST_F(CommandTest, WithoutTheTokenOrTheListNothingRuns) {
  const Output refused = RunShell(absl::StrCat(SWITCHYARD_BIN, "/switchyard --data ", directory_,
                                               "/none --server ", grpc_, " run python3 -- -V"));
  EXPECT_EQ(refused.exit_code, 5) << refused.text;
  EXPECT_THAT(refused.text, HasSubstr("scope commands"));
  const Output unlisted = Cli("run bash -- -c true");
  EXPECT_NE(unlisted.exit_code, 0);
  EXPECT_THAT(unlisted.text, HasSubstr("lists no program"));
  const Output variable = Cli("run --env LD_PRELOAD=/x python3 -- -V");
  EXPECT_THAT(variable.text, HasSubstr("LD_PRELOAD"));
  const Output network = Cli("run --network python3 -- -V");
  EXPECT_THAT(network.text, HasSubstr("no network"));
}

}  // namespace
}  // namespace switchyard::e2e
