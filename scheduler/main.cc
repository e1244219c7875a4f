// switchyard-scheduler --config FILE: queues jobs and places them on workers.
// switchyard-scheduler simulate ...: runs a trace of jobs through the same core, and leaves.
#include <unistd.h>

#include <chrono>
#include <cstdio>
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
  auto server = switchyard::scheduler::Server::Start(std::move(config), switchyard::SystemClock());
  if (!server.ok()) return Fail(server.status());
  for (const auto& [name, address] : (*server)->addresses()) {
    switchyard::LogInfo("listening", {{"name", name}, {"address", address}});
  }
  const int number = signal.Wait();
  switchyard::LogInfo("shutting down", {{"signal", number}});
  (*server)->Shutdown();
  return 0;
}
