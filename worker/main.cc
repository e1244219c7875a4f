// switchyard-worker: supervises the runners of one device and keeps the scheduler informed.
#include <iostream>

#include "CLI/CLI.hpp"
#include "common/lifecycle/shutdown_signal.h"
#include "common/log/log.h"
#include "common/rpc/process.h"
#include "worker/daemon.h"
#include "worker/daemon_config.h"

int main(int argc, char** argv) {
  using namespace switchyard;  // NOLINT: a main wires.
  CLI::App app("The worker daemon of Switchyard: runs jobs on one device.");
  std::string file;
  app.add_option("--config", file,
                 "Configuration, text format of switchyard.config.v1.WorkerConfig")
      ->required();
  app.set_version_flag("--version", SWITCHYARD_VERSION);
  CLI11_PARSE(app, argc, argv);

  PrepareRpcProcess();
  SetupLog("switchyard-worker");
  ShutdownSignal shutdown;
  const auto config = worker::LoadDaemonConfig(file);
  if (!config.ok()) {
    LogError("cannot start", {{"error", config.status().message()}});
    return 2;
  }
  const auto daemon = worker::Daemon::Start(*config, SWITCHYARD_VERSION);
  if (!daemon.ok()) {
    LogError("cannot start", {{"error", daemon.status().message()}});
    return 1;
  }
  shutdown.Wait();
  (*daemon)->Drain();
  return 0;
}
