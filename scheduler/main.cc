// switchyard-scheduler --config FILE: queues jobs and places them on workers.
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "common/clock/clock.h"
#include "common/config/text_config.h"
#include "common/lifecycle/shutdown_signal.h"
#include "common/log/log.h"
#include "common/rpc/process.h"
#include "scheduler/service/server.h"

namespace {

int Fail(const absl::Status& status) {
  switchyard::LogError("cannot start", {{"error", std::string(status.message())}});
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
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
