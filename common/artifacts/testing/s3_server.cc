#include "common/artifacts/testing/s3_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace switchyard {
namespace {

constexpr char kTools[] = SWITCHYARD_SOURCE_DIR "/tests/tools/s3_server";
constexpr char kInstalled[] = SWITCHYARD_BINARY_DIR "/s3_server";

// One line of what a child writes, without its end; empty at the end.
std::string ReadLine(FILE* from) {
  char line[256];
  if (std::fgets(line, sizeof line, from) == nullptr) return "";
  std::string text = line;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<S3Server>> S3Server::Start() {
  const std::string install = absl::StrCat(kTools, "/install.sh ", kInstalled);
  if (std::system(install.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat(install, " failed: no S3 server to test with"));
  }
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) {
    return absl::UnavailableError("cannot make a pipe");
  }
  std::unique_ptr<S3Server> server(new S3Server());
  server->pid_ = fork();
  if (server->pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    const std::string python = absl::StrCat(kInstalled, "/venv/bin/python3");
    const std::string script = absl::StrCat(kTools, "/serve.py");
    execl(python.c_str(), python.c_str(), script.c_str(), nullptr);
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  server->input_ = input[1];
  FILE* from = fdopen(output[0], "r");
  const bool ready = absl::SimpleAtoi(ReadLine(from), &server->port_);
  server->bucket_ = ReadLine(from);
  server->credentials_.access_key = ReadLine(from);
  server->credentials_.secret_key = ReadLine(from);
  std::fclose(from);
  if (!ready) return absl::UnavailableError("the S3 server did not start: see its output above");
  return server;
}

S3Server::~S3Server() {
  Kill();
  if (input_ >= 0) close(input_);
}

S3ClientOptions S3Server::options(int port) const {
  S3ClientOptions options;
  options.endpoint = absl::StrCat("http://127.0.0.1:", port == 0 ? port_ : port);
  options.bucket = bucket_;
  options.path_style = true;
  options.credentials = credentials_;
  options.first_pause = absl::Milliseconds(10);
  options.most_pause = absl::Milliseconds(100);
  return options;
}

void S3Server::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void S3Server::Stop() { kill(pid_, SIGSTOP); }
void S3Server::GoOn() { kill(pid_, SIGCONT); }

}  // namespace switchyard
