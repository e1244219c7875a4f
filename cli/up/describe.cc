#include "cli/up/describe.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/format/fleet_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {

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
  v1::ListDevicesResponse response;
  if (absl::Status status = FromJson(json, "switchyard-runner describe", &response); !status.ok()) {
    return absl::StrCat("the devices could not be looked at: ", status.message(), "\n");
  }
  std::string text = "devices\n";
  for (const v1::Device& device : response.devices())
    absl::StrAppend(&text, "  ", DeviceLine(device), "\n");
  const bool gpu = std::any_of(
      response.devices().begin(), response.devices().end(),
      [](const v1::Device& device) { return absl::StartsWith(device.device(), "cuda"); });
  if (!gpu) absl::StrAppend(&text, "  no GPU: goes on with the CPU\n");
  return text;
}

}  // namespace switchyard::cli
