#include "cli/up/describe.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"
#include "cli/up/machine.h"
#include "google/protobuf/struct.pb.h"

namespace switchyard::cli {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

const Value& FieldOf(const Struct& object, const std::string& name) {
  const auto found = object.fields().find(name);
  return found == object.fields().end() ? Value::default_instance() : found->second;
}

std::string TextOf(const Struct& object, const std::string& name) {
  return FieldOf(object, name).string_value();
}

v1::Device ToDevice(const Struct& object) {
  v1::Device device;
  device.set_device(TextOf(object, "device"));
  device.set_name(TextOf(object, "name"));
  device.set_compute_capability(TextOf(object, "compute_capability"));
  const double total = FieldOf(object, "memory_total_bytes").number_value();
  device.set_memory_total_bytes(static_cast<int64_t>(total));
  device.set_memory_used_bytes(
      static_cast<int64_t>(total - FieldOf(object, "memory_free_bytes").number_value()));
  return device;
}

void FillProcessor(v1::Device* device) {
  device->set_cores(CoresHere());
  if (device->name().empty()) device->set_name(ProcessorNameHere());
  if (device->memory_total_bytes() > 0) return;
  const int64_t total = static_cast<int64_t>(MemoryTotalHere());
  device->set_memory_total_bytes(total);
  device->set_memory_used_bytes(total - static_cast<int64_t>(MemoryAvailableHere()));
}

}  // namespace

DescribeDevices::DescribeDevices(const std::string& program) {
  absl::StatusOr<std::unique_ptr<ChildProcess>> child =
      ChildProcess::Start({program + "/switchyard-runner", "describe"});
  if (child.ok()) {
    child_ = *std::move(child);
  } else {
    failed_ = child.status();
  }
}

bool DescribeDevices::Done() {
  if (child_ == nullptr) return true;
  const bool ended = child_->Ended();
  char buffer[4096];
  for (ssize_t size; (size = read(child_->output_fd(), buffer, sizeof buffer)) > 0;) {
    output_.append(buffer, static_cast<size_t>(size));
  }
  if (!ended) return false;
  if (!child_->EndedWell()) failed_ = absl::UnknownError(child_->EndText() + " " + output_);
  child_.reset();
  return true;
}

std::string DescribeDevices::Text() const {
  if (failed_.ok()) return DescribeText(output_);
  return absl::StrCat(
      "the devices could not be looked at: switchyard-runner describe: ", failed_.message(), "\n");
}

std::string DescribeText(const std::string& json) {
  google::protobuf::Struct description;
  if (absl::Status status = FromJson(json, "switchyard-runner describe", &description);
      !status.ok()) {
    return absl::StrCat("the devices could not be looked at: ", status.message(), "\n");
  }
  const std::string libtorch = TextOf(description, "libtorch_version"),
                    cuda = TextOf(description, "cuda_version");
  std::string text = "devices\n";
  bool gpu = false;
  for (const auto& value : FieldOf(description, "devices").list_value().values()) {
    v1::Device device = ToDevice(value.struct_value());
    device.set_libtorch_version(libtorch);
    if (device.device() == "cpu") {
      FillProcessor(&device);
    } else {
      device.set_cuda_version(cuda);
      gpu = true;
    }
    absl::StrAppend(&text, "  ", DeviceLine(device), "\n");
  }
  if (!gpu) absl::StrAppend(&text, "  no GPU: goes on with the CPU\n");
  return text;
}

}  // namespace switchyard::cli
