// switchyard-gateway --config FILE: see protos/switchyard/config/v1/gateway.proto.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "common/config/text_config.h"
#include "common/lifecycle/shutdown_signal.h"
#include "common/log/log.h"
#include "common/rpc/process.h"
#include "gateway/gateway.h"

namespace {

constexpr int kBadConfig = 2;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "switchyard-gateway: %s\n", std::string(status.message()).c_str());
  return kBadConfig;
}

int Serve(const std::string& file, switchyard::ShutdownSignal& shutdown) {
  switchyard::config::v1::GatewayConfig config;
  if (absl::Status status = switchyard::LoadTextConfig(file, &config); !status.ok()) {
    return Fail(status);
  }
  auto gateway = switchyard::gateway::Gateway::Start(std::move(config));
  if (!gateway.ok()) return Fail(gateway.status());
  switchyard::LogInfo("serving",
                      {{"http", (*gateway)->http_address()}, {"grpc", (*gateway)->grpc_address()}});
  const int signal = shutdown.Wait();
  switchyard::LogInfo("draining", {{"signal", signal}});
  (*gateway)->Stop(std::chrono::seconds(10));
  switchyard::LogInfo("stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Switchyard's doors: JSON over HTTP, and gRPC");
  std::string file;
  app.add_option("--config", file, "Configuration, protobuf text format")->required();
  app.set_version_flag("--version", SWITCHYARD_VERSION);
  CLI11_PARSE(app, argc, argv);
  switchyard::PrepareRpcProcess();
  switchyard::ShutdownSignal shutdown;
  switchyard::SetupLog("switchyard-gateway");
  return Serve(file, shutdown);
}
