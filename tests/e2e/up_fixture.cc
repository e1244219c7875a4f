#include "tests/e2e/up_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace switchyard::e2e {

namespace fs = std::filesystem;

std::string SwitchyardBinary() { return std::string(SWITCHYARD_BIN) + "/switchyard"; }

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool Eventually(const std::function<bool()>& done, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::string JsonText(const std::string& json, const std::string& name) {
  const std::string key = absl::StrCat("\"", name, "\":\"");
  const size_t at = json.find(key);
  if (at == std::string::npos) return "";
  return json.substr(at + key.size(), json.find('"', at + key.size()) - at - key.size());
}

Output RunShell(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  Output output{-1, ""};
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    output.text.append(buffer, size);
  output.exit_code = WEXITSTATUS(pclose(pipe));
  return output;
}

UpTest::UpTest() {
  char pattern[] = "/tmp/sy-up-XXXXXX";
  directory_ = mkdtemp(pattern);
}

UpTest::~UpTest() {
  up_.reset();
  if (HasFailure()) {
    std::fprintf(stderr, "the logs are kept in %s\n", directory_.c_str());
  } else {
    fs::remove_all(directory_);
  }
}

void UpTest::StartUp() {
  fs::remove(directory_ + "/up.log");
  up_ = std::make_unique<Process>(
      std::vector<std::string>{SwitchyardBinary(), "up", "--data", data(), "--http", "127.0.0.1:0",
                               "--grpc", "127.0.0.1:0", "--workers", "cpu:1", "--allow-noop",
                               "--json"},
      directory_ + "/up.log");
  ASSERT_TRUE(Eventually([&] { return !(grpc_ = JsonText(UpLog(), "grpc")).empty(); }, 60))
      << UpLog();
  http_ = JsonText(UpLog(), "http");
}

void UpTest::StopUp() {
  up_->Signal(SIGTERM);
  const int status = up_->Wait(30);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << UpLog();
}

Output UpTest::Cli(const std::string& arguments) const {
  return RunShell(
      absl::StrCat(SwitchyardBinary(), " --data ", data(), " --server ", grpc_, " ", arguments));
}

Output UpTest::CliAs(const std::string& token, const std::string& arguments) const {
  const std::string shown = token.empty() ? "" : absl::StrCat(" --token ", token);
  return RunShell(absl::StrCat(SwitchyardBinary(), shown, " --server ", grpc_, " ", arguments));
}

pid_t UpTest::ChildNamed(const std::string& name) const {
  for (const pid_t child : ChildrenOf(up_->pid())) {
    if (absl::StrContains(ReadAll(absl::StrCat("/proc/", child, "/cmdline")), name)) return child;
  }
  return -1;
}

}  // namespace switchyard::e2e
