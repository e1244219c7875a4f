#include "scheduler/store/postgres/testing/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "scheduler/store/postgres/connection.h"

namespace switchyard::scheduler {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kLongestStart = absl::Seconds(60);

// Where Debian and others put a version's programs; the newest of them. Empty: none.
std::string ProgramFolder() {
  std::string newest;
  for (const char* root : {"/usr/lib/postgresql", "/usr/local/pgsql"}) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(root, error)) {
      const std::string folder = entry.path() / "bin";
      if (fs::exists(folder + "/initdb") && folder > newest) newest = folder;
    }
  }
  return newest;
}

const passwd* ServerUser() { return geteuid() == 0 ? getpwnam("postgres") : nullptr; }

// Runs a program of PostgreSQL as its user. The child ends with us.
pid_t Spawn(const std::vector<std::string>& words, const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const passwd* user = ServerUser();
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int log = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  if (user != nullptr && (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 ||
                          setuid(user->pw_uid) != 0 || chdir("/") != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // Changing the user cleared it.
  execv(arguments.front(), arguments.data());
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::Start() {
  if (ProgramFolder().empty()) {
    return absl::NotFoundError("PostgreSQL is not installed: apt-get install postgresql");
  }
  std::string folder = fs::temp_directory_path() / "postgres_test.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return absl::InternalError("cannot make a folder");
  std::unique_ptr<PostgresServer> server(new PostgresServer(folder));
  absl::Status status = server->Initialize();
  if (status.ok()) status = server->StartAgain();
  if (!status.ok()) return status;
  return server;
}

PostgresServer::~PostgresServer() {
  Kill();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string PostgresServer::uri() const {
  return absl::StrCat("host=", folder_, " user=switchyard dbname=postgres");
}

absl::Status PostgresServer::Initialize() {
  if (const passwd* user = ServerUser(); user != nullptr) {
    if (chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      return absl::InternalError("cannot give the folder to the user postgres");
    }
  }
  const pid_t pid = Spawn({ProgramFolder() + "/initdb", "-D", folder_ + "/data", "-U", "switchyard",
                           "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"},
                          folder_ + "/initdb.log");
  int exit = 0;
  waitpid(pid, &exit, 0);
  if (exit == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("initdb failed, see ", folder_, "/initdb.log"));
}

void PostgresServer::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGQUIT);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

absl::Status PostgresServer::StartAgain() {
  pid_ = Spawn({ProgramFolder() + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c",
                "listen_addresses=", "-c", "max_connections=40"},
               folder_ + "/server.log");
  return WaitUntilReady();
}

absl::Status PostgresServer::WaitUntilReady() {
  const absl::Time deadline = absl::Now() + kLongestStart;
  absl::Status status;
  while (absl::Now() < deadline) {
    status = PostgresConnection::Open(uri(), "public").status();
    if (status.ok()) return status;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return status;
}

}  // namespace switchyard::scheduler
