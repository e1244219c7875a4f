#include "scheduler/service/config.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/artifacts/open_store.h"
#include "common/net/address.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/service/key_config.h"
#include "scheduler/validation/time_fields.h"

namespace switchyard::scheduler {
namespace {

constexpr uint64_t kDefaultQueueCapacity = 10'000'000;
constexpr int64_t kDefaultLeaseSeconds = 30;
constexpr uint32_t kDefaultLostAttempts = 3;
constexpr absl::Duration kDefaultArtifactKeep = absl::Hours(24);
constexpr absl::Duration kDefaultLeaderLease = absl::Seconds(3);

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "scheduler";
}

absl::Duration Read(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void Write(absl::Duration duration, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::ToInt64Seconds(duration));
  proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
}

void FillPreemption(config::v1::Preemption& preemption) {
  const PreemptionConfig defaults;
  if (!preemption.has_min_run_time())
    Write(absl::Microseconds(defaults.min_run_us), preemption.mutable_min_run_time());
  if (!preemption.has_grace())
    Write(absl::Microseconds(defaults.grace_us), preemption.mutable_grace());
  if (preemption.priority_distance() == 0)
    preemption.set_priority_distance(defaults.priority_distance);
}

void FillFairShare(config::v1::FairShare& share) {
  const CoreConfig defaults;
  if (!share.has_half_life())
    Write(absl::Microseconds(defaults.share_half_life_us), share.mutable_half_life());
  if (!share.has_idle_credit())
    Write(absl::Microseconds(defaults.idle_credit_us), share.mutable_idle_credit());
  if (!share.has_ageing_interval())
    Write(absl::Microseconds(defaults.ageing_interval_us), share.mutable_ageing_interval());
  if (share.urgent_share_percent() == 0)
    share.set_urgent_share_percent(defaults.urgent_share_percent);
}

void FillDefaults(config::v1::SchedulerConfig& config) {
  if (config.artifact_dir().empty() && !config.has_artifact_s3())
    config.set_artifact_dir(config.data_dir() + "/artifacts");
  if (config.queue_capacity() == 0) config.set_queue_capacity(kDefaultQueueCapacity);
  if (!config.has_lease()) config.mutable_lease()->set_seconds(kDefaultLeaseSeconds);
  if (!config.has_heartbeat_interval())
    Write(Read(config.lease()) / 6, config.mutable_heartbeat_interval());
  if (!config.has_artifact_keep()) Write(kDefaultArtifactKeep, config.mutable_artifact_keep());
  if (config.max_lost_attempts() == 0) config.set_max_lost_attempts(kDefaultLostAttempts);
  if (config.highest_priority() == 0) config.set_highest_priority(1);
  if (config.has_postgres() && !config.postgres().has_leader_lease())
    Write(kDefaultLeaderLease, config.mutable_postgres()->mutable_leader_lease());
  if (config.name().empty()) config.set_name(HostName());
  FillFairShare(*config.mutable_fair_share());
  FillPreemption(*config.mutable_preemption());
  if (config.rendezvous().first_port() == 0)
    config.mutable_rendezvous()->set_first_port(RendezvousConfig().first_port);
  if (config.rendezvous().ports() == 0)
    config.mutable_rendezvous()->set_ports(RendezvousConfig().ports);
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

void CheckBetween(absl::string_view name, const google::protobuf::Duration& value,
                  absl::Duration least, absl::Duration most, std::vector<std::string>& faults) {
  if (IsLength(value) && Read(value) >= least && Read(value) <= most) return;
  faults.push_back(absl::StrCat(name, ": must be ", absl::FormatDuration(least), " to ",
                                absl::FormatDuration(most)));
}

void CheckArtifacts(const config::v1::SchedulerConfig& config, std::vector<std::string>& faults) {
  if (!config.artifact_dir().empty() && config.has_artifact_s3())
    faults.emplace_back("artifact_dir: artifact_s3 is set too; give one of them");
  CheckBetween("artifact_keep", config.artifact_keep(), absl::Hours(1), absl::Hours(24 * 365),
               faults);
  if (!config.has_artifact_s3()) return;
  for (std::string& fault : FaultsOf(config.artifact_s3())) faults.push_back(std::move(fault));
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

void CheckFairShare(const config::v1::FairShare& share, std::vector<std::string>& faults) {
  const absl::Duration day = absl::Hours(24);
  CheckBetween("fair_share.half_life", share.half_life(), absl::Minutes(1), 30 * day, faults);
  CheckBetween("fair_share.idle_credit", share.idle_credit(), absl::ZeroDuration(), day, faults);
  CheckBetween("fair_share.ageing_interval", share.ageing_interval(), absl::Seconds(1), day,
               faults);
  if (share.urgent_share_percent() > 100) {
    faults.emplace_back("fair_share.urgent_share_percent: must be 1 to 100");
  }
}

void CheckPreemption(const config::v1::Preemption& preemption, std::vector<std::string>& faults) {
  if (!IsLength(preemption.min_run_time()) || Read(preemption.min_run_time()) < absl::Seconds(1)) {
    faults.emplace_back("preemption.min_run_time: must be at least 1 s");
  }
  if (!IsLength(preemption.grace()) || Read(preemption.grace()) < absl::Seconds(1)) {
    faults.emplace_back("preemption.grace: must be at least 1 s");
  }
  if (preemption.priority_distance() > 8) {
    faults.emplace_back("preemption.priority_distance: must be 1 to 8");
  }
}

void CheckRendezvous(const config::v1::Rendezvous& rendezvous, std::vector<std::string>& faults) {
  constexpr uint64_t kPortsEnd = 65'536;
  if (uint64_t{rendezvous.first_port()} + rendezvous.ports() > kPortsEnd) {
    faults.emplace_back("rendezvous: first_port and the ports after it must be at most 65535");
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
  if (config.has_postgres() && config.postgres().uri().empty()) {
    faults.emplace_back("postgres.uri: must be set: where the database is");
  }
  if (config.has_postgres()) {
    CheckBetween("postgres.leader_lease", config.postgres().leader_lease(), absl::Seconds(1),
                 absl::Minutes(1), faults);
  }
  CheckArtifacts(config, faults);
  CheckTimes(config, faults);
  CheckFairShare(config.fair_share(), faults);
  CheckPreemption(config.preemption(), faults);
  CheckRendezvous(config.rendezvous(), faults);
  if (config.highest_priority() > 9) faults.emplace_back("highest_priority: must be 1 to 9");
  CheckKeys(config, faults);
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
}

absl::Duration ArtifactKeepOf(const config::v1::SchedulerConfig& config) {
  return Read(config.artifact_keep());
}

CoreConfig MakeCoreConfig(const config::v1::SchedulerConfig& config) {
  CoreConfig core;
  core.kinds = CoreKinds();
  core.queue_capacity = config.queue_capacity();
  core.tenant_queue_capacity = config.queue_capacity();
  core.lease_us = absl::ToInt64Microseconds(Read(config.lease()));
  core.max_lost_attempts = config.max_lost_attempts();
  const config::v1::FairShare& share = config.fair_share();
  core.share_half_life_us = absl::ToInt64Microseconds(Read(share.half_life()));
  core.idle_credit_us = absl::ToInt64Microseconds(Read(share.idle_credit()));
  core.ageing_interval_us = absl::ToInt64Microseconds(Read(share.ageing_interval()));
  core.urgent_share_percent = share.urgent_share_percent();
  core.tenants = TenantsOf(config);
  core.keys = KeysOf(config);
  core.preemption = {
      .enabled = !config.preemption().disabled(),
      .min_run_us = absl::ToInt64Microseconds(Read(config.preemption().min_run_time())),
      .grace_us = absl::ToInt64Microseconds(Read(config.preemption().grace())),
      .priority_distance = config.preemption().priority_distance()};
  core.rendezvous = {.first_port = static_cast<uint16_t>(config.rendezvous().first_port()),
                     .ports = static_cast<uint16_t>(config.rendezvous().ports())};
  return core;
}

LeaseTimes MakeLeaseTimes(const config::v1::SchedulerConfig& config) {
  return {.lease = Read(config.lease()), .heartbeat_interval = Read(config.heartbeat_interval())};
}

absl::Duration LeaderLeaseOf(const config::v1::SchedulerConfig& config) {
  return Read(config.postgres().leader_lease());
}

}  // namespace switchyard::scheduler
