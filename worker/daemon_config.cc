#include "worker/daemon_config.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/artifacts/open_store.h"
#include "common/config/text_config.h"
#include "common/net/address.h"
#include "common/status/error.h"
#include "worker/tasks/command/policy.h"

namespace switchyard::worker {
namespace {

using ::switchyard::config::v1::WorkerConfig;

constexpr uint32_t kDrainSeconds = 20;

std::string OwnPath() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

void CheckArtifactStore(const WorkerConfig& config, std::vector<FieldViolation>* faults) {
  if (config.artifact_dir().empty() != config.has_artifact_s3()) {
    faults->push_back({"artifact_dir", "name the artifact store's folder, or artifact_s3"});
  }
  if (!config.has_artifact_s3()) return;
  for (const std::string& fault : FaultsOf(config.artifact_s3())) {
    faults->push_back({"artifact_s3", fault});
  }
}

}  // namespace

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name[0] == '\0' ? "localhost" : name;
}

absl::Status CompleteConfig(const std::string& host, const std::string& own_path,
                            WorkerConfig* config) {
  std::vector<FieldViolation> faults;
  const auto require = [&faults](const std::string& value, const char* field, const char* what) {
    if (value.empty()) faults.push_back({field, what});
  };
  require(config->data_dir(), "data_dir", "name a folder for this worker");
  CheckArtifactStore(*config, &faults);
  if (config->scheduler().empty()) {
    faults.push_back({"scheduler", "name the worker listener of each scheduler, HOST:PORT"});
  }
  for (const std::string& scheduler : config->scheduler()) {
    if (const auto address = ParseAddress(scheduler); !address.ok()) {
      faults.push_back({"scheduler", std::string(address.status().message())});
    }
  }
  if (!config->admin_listen().empty()) {
    if (const absl::Status loopback = RequireLoopback("admin_listen", config->admin_listen());
        !loopback.ok()) {
      faults.push_back({"admin_listen", std::string(loopback.message())});
    }
  }
  for (const std::string& root : config->data_roots()) {
    if (!std::filesystem::path(root).is_absolute()) {
      faults.push_back({"data_roots", absl::StrCat("\"", root, "\" is not an absolute path")});
    }
  }
  const auto share = [&faults](double value, const char* field) {
    if (!(value >= 0 && value <= 1)) faults.push_back({field, "a share, 0 to 1"});
  };
  share(config->host_memory_ceiling(), "host_memory_ceiling");
  share(config->host_cpu_ceiling(), "host_cpu_ceiling");
  // Checked only: its defaults depend on the device.
  CommandPolicy commands = config->commands();
  CompleteCommandPolicy(/*device_memory_bytes=*/0, &commands, &faults);
  if (!faults.empty()) return InvalidFields(faults);
  if (config->device().empty()) config->set_device("cpu");
  if (config->id().empty()) config->set_id(absl::StrCat(host, "-", config->device()));
  if (config->runner().empty()) {
    config->set_runner(
        (std::filesystem::path(own_path).parent_path() / "switchyard-runner").string());
  }
  if (config->drain_seconds() == 0) config->set_drain_seconds(kDrainSeconds);
  return absl::OkStatus();
}

absl::StatusOr<WorkerConfig> LoadDaemonConfig(const std::string& file) {
  WorkerConfig config;
  if (absl::Status status = LoadTextConfig(file, &config); !status.ok()) return status;
  if (absl::Status status = CompleteConfig(HostName(), OwnPath(), &config); !status.ok()) {
    return Annotate(status, file);
  }
  return config;
}

}  // namespace switchyard::worker
