// What a program in the sandbox might try. Each word of the command line is one attempt with its
// argument; it prints `ok` or the name of the error. Used by tests only.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

int Say(bool ok) {
  std::puts(ok ? "ok" : strerrorname_np(errno));
  return 0;
}

int Read(const char* path) { return Say(open(path, O_RDONLY) >= 0); }
int Write(const char* path) { return Say(open(path, O_WRONLY | O_CREAT, 0600) >= 0); }

int Connect(int fd, const sockaddr* address, socklen_t size) {
  return Say(fd >= 0 && connect(fd, address, size) == 0);
}

int ConnectUnix(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return Connect(socket(AF_UNIX, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&address),
                 sizeof address);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int ConnectTcp(const char* port) {
  const sockaddr_in address = Loopback(std::atoi(port));
  return Connect(socket(AF_INET, SOCK_STREAM, 0), reinterpret_cast<const sockaddr*>(&address),
                 sizeof address);
}

// Speaks to itself over its own loopback.
int OwnLoopback(const char*) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 1) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return Say(false);
  return Connect(socket(AF_INET, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&address), size);
}

int Descriptors(const char*) {
  std::string open;
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + ',';
  }
  std::puts(open.c_str());
  return 0;
}

int Environment(const char*) {
  for (char** entry = environ; *entry != nullptr; ++entry) std::puts(*entry);
  return 0;
}

int Trace(const char* pid) {
  const long traced = *pid == '\0' ? ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)
                                   : ptrace(PTRACE_SEIZE, std::atoi(pid), nullptr, nullptr);
  return Say(traced == 0);
}

int Kill(const char* pid) { return Say(kill(std::atoi(pid), 0) == 0); }
int NewUser(const char*) { return Say(unshare(CLONE_NEWUSER) == 0); }
int Keys(const char*) { return Say(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -4, 0) >= 0); }
int Socket(const char* family) { return Say(socket(std::atoi(family), SOCK_DGRAM, 0) >= 0); }
int SharedMemory(const char* key) { return Say(shmget(std::atoi(key), 0, 0) >= 0); }
int BecomeRoot(const char*) { return Say(setuid(0) == 0); }

int Who(const char*) {
  std::printf("%d\n", static_cast<int>(getuid()));
  return 0;
}

int Execute(const char* path) {
  execl(path, path, "exit", "0", nullptr);
  return Say(false);
}

// Megabytes, touched, and kept for some time so that they are seen.
int Allocate(const char* megabytes) {
  for (int i = std::atoi(megabytes); i > 0; --i) {
    char* const block = static_cast<char*>(std::malloc(1 << 20));
    if (block == nullptr) return Say(false);
    std::memset(block, 1, 1 << 20);
    usleep(1000);
  }
  usleep(200'000);
  return Say(true);
}

// The same megabytes in a parent and four children count once.
int Share(const char* megabytes) {
  const size_t bytes = static_cast<size_t>(std::atoi(megabytes)) << 20;
  char* const block = static_cast<char*>(std::malloc(bytes));
  std::memset(block, 1, bytes);
  for (int i = 0; i < 4; ++i) {
    if (fork() == 0) {
      usleep(500'000);
      _exit(0);
    }
  }
  while (wait(nullptr) > 0) {
  }
  return Say(true);
}

int Spin(const char*) {
  while (true) getppid();
}

int ForkBomb(const char*) {
  std::puts("bombing");
  std::fflush(stdout);
  while (true) fork();
}

// Twice forked, in a session of its own, deaf to SIGTERM: adds a byte to the file for ever.
int Daemon(const char* path) {
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (fork() == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (int fd = 0; fd < 3; ++fd) close(fd);
    while (write(file, "x", 1) == 1) usleep(5'000);
    _exit(0);
  }
  wait(nullptr);
  struct stat seen = {};
  while (seen.st_size < 3) fstat(file, &seen);
  return Say(true);
}

// Ends by itself when asked to, with a file written.
volatile sig_atomic_t asked = 0;
int Obey(const char* path) {
  signal(SIGTERM, [](int) { asked = 1; });
  std::puts("waiting");
  std::fflush(stdout);
  while (asked == 0) usleep(10'000);
  const int file = open(path, O_WRONLY | O_CREAT, 0600);
  [[maybe_unused]] const ssize_t written = write(file, "kept", 4);
  return Say(file >= 0);
}

int Deaf(const char*) {
  signal(SIGTERM, SIG_IGN);
  std::puts("waiting");
  std::fflush(stdout);
  while (true) pause();
}

int Exit(const char* code) { std::exit(std::atoi(code)); }

int EndBySignal(const char* number) {
  raise(std::atoi(number));
  return 0;
}

int Print(const char* text) {
  std::puts(text);
  return 0;
}

int Link(const char* target) { return Say(symlink(target, "link") == 0); }

const struct {
  const char* word;
  int (*attempt)(const char* argument);
} kAttempts[] = {{"read", Read},
                 {"write", Write},
                 {"connect-unix", ConnectUnix},
                 {"connect-tcp", ConnectTcp},
                 {"own-loopback", OwnLoopback},
                 {"descriptors", Descriptors},
                 {"environment", Environment},
                 {"trace", Trace},
                 {"kill", Kill},
                 {"new-user", NewUser},
                 {"keys", Keys},
                 {"socket", Socket},
                 {"shared-memory", SharedMemory},
                 {"become-root", BecomeRoot},
                 {"who", Who},
                 {"execute", Execute},
                 {"allocate", Allocate},
                 {"share", Share},
                 {"spin", Spin},
                 {"fork-bomb", ForkBomb},
                 {"daemon", Daemon},
                 {"obey", Obey},
                 {"deaf", Deaf},
                 {"exit", Exit},
                 {"end-by-signal", EndBySignal},
                 {"print", Print},
                 {"link", Link}};

}  // namespace

// Pairs of a word and its argument, one after the other.
int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    bool known = false;
    for (const auto& attempt : kAttempts) {
      if (std::strcmp(attempt.word, argv[i]) != 0) continue;
      known = true;
      attempt.attempt(argv[i + 1]);
    }
    if (!known) return 64;
  }
  return 0;
}
