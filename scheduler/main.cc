// switchyard-scheduler --config FILE: queues jobs and places them on workers.
// switchyard-scheduler simulate ...: runs a trace of jobs through the same core, and leaves.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/clock/clock.h"
#include "common/config/text_config.h"
#include "common/lifecycle/shutdown_signal.h"
#include "common/log/log.h"
#include "common/rpc/process.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/service/server.h"
#include "scheduler/trace/command.h"
#include "scheduler/trace/replay/stored_log.h"

namespace {

int Fail(const absl::Status& status) {
  switchyard::LogError("cannot start", {{"error", std::string(status.message())}});
  return 1;
}

int64_t SteadyNanoseconds() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

int64_t ResidentBytes() {
  long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

// Where a server that was started again must listen: those who look for it know it there.
void KeepAddresses(const switchyard::scheduler::Server& server,
                   switchyard::config::v1::SchedulerConfig& config) {
  for (const auto& [name, address] : server.addresses()) {
    switchyard::LogInfo("listening", {{"name", name}, {"address", address}});
    if (name == "client") config.set_listen(address);
    if (name == "worker") config.set_worker_listen(address);
    if (name == "admin") config.set_admin_listen(address);
  }
}

// Until a signal comes. A server that was deposed is started again, as a standby.
int Serve(switchyard::ShutdownSignal& signal, switchyard::config::v1::SchedulerConfig config) {
  const int deposed = eventfd(0, EFD_CLOEXEC);
  const auto tell = [deposed] {
    const uint64_t one = 1;
    if (write(deposed, &one, sizeof one) < 0) std::abort();  // Impossible: nothing was there.
  };
  for (bool again = false;; again = true) {
    auto server =
        switchyard::scheduler::Server::Start(config, switchyard::SystemClock(), tell);
    if (!server.ok() && !again) return Fail(server.status());
    if (server.ok()) {
      KeepAddresses(**server, config);
    } else {
      switchyard::LogError("cannot start again; trying again",
                           {{"error", std::string(server.status().message())}});
    }
    pollfd ready[] = {{signal.fd(), POLLIN, 0}, {deposed, POLLIN, 0}};
    constexpr int kTryAgainMs = 1000;
    poll(ready, 2, server.ok() ? -1 : kTryAgainMs);
    if (ready[0].revents != 0) {
      switchyard::LogInfo("shutting down", {{"signal", signal.Wait()}});
      return 0;
    }
    uint64_t count = 0;
    if (ready[1].revents != 0 && read(deposed, &count, sizeof count) > 0) {
      switchyard::LogWarning("another scheduler leads; starting again to stand by");
    }
  }
}

// `argv` without the program's name.
int Simulate(int argc, char** argv) {
  std::vector<const char*> arguments(argv, argv + argc);
  arguments[0] = "switchyard simulate";
  return switchyard::scheduler::SimulateMain(
      argc, arguments.data(),
      {.kinds = switchyard::scheduler::CoreKinds(),
       .probes = {.now_ns = SteadyNanoseconds, .resident_bytes = ResidentBytes},
       .open_log = switchyard::scheduler::ReadStoredLog},
      std::cout, std::cerr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "simulate") return Simulate(argc - 1, argv + 1);
  CLI::App app("switchyard-scheduler: queues jobs and places them on workers.");
  std::string config_file;
  app.add_option("--config", config_file,
                 "Configuration in protobuf text format (switchyard.config.v1.SchedulerConfig)")
      ->required();
  app.set_version_flag("--version", SWITCHYARD_VERSION);
  CLI11_PARSE(app, argc, argv);

  switchyard::ShutdownSignal signal;  // Before any thread.
  switchyard::PrepareRpcProcess();
  switchyard::SetupLog("switchyard-scheduler");
  switchyard::config::v1::SchedulerConfig config;
  if (absl::Status status = switchyard::LoadTextConfig(config_file, &config); !status.ok())
    return Fail(status);
  return Serve(signal, std::move(config));
}
