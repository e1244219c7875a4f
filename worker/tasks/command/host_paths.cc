#include "worker/tasks/command/host_paths.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

namespace fs = std::filesystem;

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// The number in /dev/nvidiaN of the GPU with this UUID, from what the driver says about each; empty
// when it says nothing.
std::string MinorOf(const std::string& uuid) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", error)) {
    std::ifstream information(entry.path() / "information");
    std::string line, minor;
    bool this_one = false;
    while (std::getline(information, line)) {
      const std::string value = line.substr(line.find_last_of(" \t") + 1);
      if (absl::StartsWith(line, "GPU UUID:")) this_one = value == uuid;
      if (absl::StartsWith(line, "Device Minor:")) minor = value;
    }
    if (this_one) return minor;
  }
  return "";
}

void AddGpu(const DeviceHandle& device, std::vector<std::string>* files) {
  for (const char* name : {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"}) {
    if (Exists(name)) files->push_back(name);
  }
  const std::string minor = MinorOf(device.uuid);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/dev", error)) {
    const std::string path = entry.path().string();
    const std::string number = path.substr(std::min(path.size(), sizeof("/dev/nvidia") - 1));
    const bool gpu = absl::StartsWith(path, "/dev/nvidia") && !number.empty() &&
                     number.find_first_not_of("0123456789") == std::string::npos;
    if (gpu && (minor.empty() || number == minor)) files->push_back(path);
  }
}

}  // namespace

std::vector<std::string> SystemPaths(bool network, bool gpu) {
  std::vector<std::string> paths = {"/usr",
                                    "/bin",
                                    "/sbin",
                                    "/lib",
                                    "/lib32",
                                    "/lib64",
                                    "/libx32",
                                    "/etc/ld.so.cache",
                                    "/etc/ld.so.conf",
                                    "/etc/ld.so.conf.d",
                                    "/etc/alternatives",
                                    "/etc/localtime",
                                    "/etc/timezone",
                                    "/etc/passwd",
                                    "/etc/group",
                                    "/etc/nsswitch.conf",
                                    "/etc/protocols",
                                    "/etc/services",
                                    "/etc/mime.types",
                                    "/etc/ssl/certs",
                                    "/etc/ssl/openssl.cnf",
                                    "/etc/fonts",
                                    "/etc/os-release",
                                    "/etc/debian_version",
                                    "/sys/devices/system"};
  if (network) {
    for (const char* path : {"/etc/hosts", "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf"})
      paths.push_back(path);
  }
  if (gpu) {
    for (const char* path : {"/sys/bus/pci", "/sys/devices", "/sys/module", "/sys/class"})
      paths.push_back(path);
  }
  return paths;
}

std::vector<std::string> DeviceFiles(const DeviceHandle& device) {
  std::vector<std::string> files = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                    "/dev/urandom"};
  if (absl::StartsWith(device.device, "cuda")) AddGpu(device, &files);
  return files;
}

}  // namespace switchyard::worker
