#include "scheduler/service/config.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/net/address.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/service/key_config.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr uint64_t kDefaultQueueCapacity = 10'000'000;
constexpr int64_t kDefaultLeaseSeconds = 30;
constexpr uint32_t kDefaultLostAttempts = 3;

absl::Duration Read(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void Write(absl::Duration duration, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::ToInt64Seconds(duration));
  proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
}

void FillDefaults(config::v1::SchedulerConfig& config) {
  if (config.artifact_dir().empty()) config.set_artifact_dir(config.data_dir() + "/artifacts");
  if (config.queue_capacity() == 0) config.set_queue_capacity(kDefaultQueueCapacity);
  if (!config.has_lease()) config.mutable_lease()->set_seconds(kDefaultLeaseSeconds);
  if (!config.has_heartbeat_interval())
    Write(Read(config.lease()) / 6, config.mutable_heartbeat_interval());
  if (config.max_lost_attempts() == 0) config.set_max_lost_attempts(kDefaultLostAttempts);
  if (config.highest_priority() == 0) config.set_highest_priority(1);
}

void CheckAddress(absl::string_view name, absl::string_view address,
                  std::vector<std::string>& faults) {
  const absl::Status status = RequireLoopback(name, address);
  if (!status.ok()) faults.emplace_back(status.message());
}

bool AsksForAFreePort(absl::string_view address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  return parsed.ok() && !parsed->is_unix() && parsed->port == 0;
}

void CheckTimes(const config::v1::SchedulerConfig& config, std::vector<std::string>& faults) {
  if (!IsLength(config.lease()) || Read(config.lease()) < absl::Seconds(1) ||
      Read(config.lease()) > absl::Minutes(10)) {
    faults.emplace_back("lease: must be 1 s to 10 min");
  }
  if (!IsLength(config.heartbeat_interval()) ||
      Read(config.heartbeat_interval()) <= absl::ZeroDuration() ||
      Read(config.heartbeat_interval()) > Read(config.lease()) / 2) {
    faults.emplace_back("heartbeat_interval: must be longer than 0 and at most half of the lease");
  }
}

}  // namespace

absl::Status CompleteConfig(config::v1::SchedulerConfig& config) {
  std::vector<std::string> faults;
  if (config.data_dir().empty())
    faults.emplace_back("data_dir: must be set: the folder of the store");
  FillDefaults(config);
  CheckAddress("listen", config.listen(), faults);
  CheckAddress("worker_listen", config.worker_listen(), faults);
  if (!config.admin_listen().empty()) CheckAddress("admin_listen", config.admin_listen(), faults);
  if (config.listen() == config.worker_listen() && !AsksForAFreePort(config.listen())) {
    faults.emplace_back("worker_listen: must differ from listen");
  }
  CheckTimes(config, faults);
  if (config.highest_priority() > 9) faults.emplace_back("highest_priority: must be 1 to 9");
  CheckKeys(config, faults);
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
}

CoreConfig MakeCoreConfig(const config::v1::SchedulerConfig& config) {
  CoreConfig core;
  core.kinds = CoreKinds();
  core.queue_capacity = config.queue_capacity();
  core.tenant_queue_capacity = config.queue_capacity();
  core.lease_us = absl::ToInt64Microseconds(Read(config.lease()));
  core.max_lost_attempts = config.max_lost_attempts();
  return core;
}

LeaseTimes MakeLeaseTimes(const config::v1::SchedulerConfig& config) {
  return {.lease = Read(config.lease()), .heartbeat_interval = Read(config.heartbeat_interval())};
}

}  // namespace switchyard::scheduler
