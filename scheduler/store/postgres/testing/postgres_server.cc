#include "scheduler/store/postgres/testing/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

// Free a moment ago.
int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  close(listener);
  return ntohs(address.sin_port);
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
  const std::string port = port_ == 0 ? "" : absl::StrCat(" port=", port_);
  return absl::StrCat("host=", folder_, port, " user=switchyard dbname=postgres");
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
  std::vector<std::string> words = {
      ProgramFolder() + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c",
      "max_connections=40"};
  const auto set = [&words](const std::string& setting) {
    words.push_back("-c");
    words.push_back(setting);
  };
  set(port_ == 0 ? "listen_addresses=" : "listen_addresses=127.0.0.1");
  if (port_ != 0) {
    set(absl::StrCat("port=", port_));
    set("ssl=on");
    set("ssl_cert_file=" + certificate());
    set("ssl_key_file=" + folder_ + "/server.key");
  }
  pid_ = Spawn(words, folder_ + "/server.log");
  return WaitUntilReady();
}

absl::Status PostgresServer::OfferTls() {
  if (!fs::exists("/usr/bin/openssl")) return absl::NotFoundError("openssl is not installed");
  const pid_t made =
      Spawn({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
             folder_ + "/server.key", "-out", certificate()},
            folder_ + "/openssl.log");
  int exit = 0;
  waitpid(made, &exit, 0);
  if (exit != 0) return absl::InternalError("openssl failed, see " + folder_ + "/openssl.log");
  fs::permissions(folder_ + "/server.key", fs::perms::owner_read | fs::perms::owner_write);
  Kill();
  port_ = FreePort();
  return StartAgain();
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
