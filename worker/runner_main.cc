// switchyard-runner: runs attempts for a worker daemon, which starts it; `describe` tells what it
// can drive.
#include <signal.h>

#include <iostream>

#include "CLI/CLI.hpp"
#include "common/log/log.h"
#include "worker/runner/describe.h"
#include "worker/runner/process.h"
#include "worker/runner/serve.h"
#include "worker/tasks/registry.h"

int main(int argc, char** argv) {
  using namespace switchyard;          // NOLINT: a main wires.
  using namespace switchyard::worker;  // NOLINT
  SetupLog("switchyard-runner");
  signal(SIGPIPE, SIG_IGN);

  CLI::App app("Runs attempts for switchyard-worker, which starts it.");
  app.require_subcommand(1);
  CLI::App* describe =
      app.add_subcommand("describe", "Prints what this build can drive, as a JSON object");
  CLI::App* serve =
      app.add_subcommand("serve", "Started by the daemon: serves it over descriptor 3");
  ServeOptions options;
  pid_t parent = 0;
  serve->add_option("--device", options.device.device)->required();
  serve->add_option("--device-name", options.device.name);
  serve->add_option("--device-uuid", options.device.uuid);
  serve->add_option("--command-policy", options.command_policy, "File; none: no command jobs");
  serve->add_option("--threads", options.device.threads);
  serve->add_option("--memory-bytes", options.limits.memory_bytes);
  serve->add_option("--artifact-dir", options.artifact_dir);
  serve->add_option("--artifact-s3", options.artifact_s3, "An S3Store in text format");
  serve->add_option("--work-dir", options.work_dir)->required();
  serve->add_option("--data-root", options.data_roots);
  serve->add_option("--parent", parent, "Process id of the daemon")->required();
  serve->add_flag("--own", options.own, "Serves one attempt");
  serve->add_flag("--background", options.background, "Least CPU priority");
  CLI11_PARSE(app, argc, argv);

  if (describe->parsed()) {
    std::cout << DescribeJson(MakeBackend()->Describe(), RegisteredKinds(MakeExecutorFactory()))
              << std::endl;
    return 0;
  }
  absl::Status status = DieWithParent(parent);
  if (status.ok()) status = Serve(options);
  if (!status.ok())
    LogError("cannot serve", {{"error", status.ToString()}, {"device", options.device.device}});
  EndProcess(status.ok() ? 0 : 1);
}
