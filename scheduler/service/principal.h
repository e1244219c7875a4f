// Who calls. The only place that makes a principal: until keys exist every caller is the tenant
// `default`, and the configuration says how urgent its jobs may be. Keys, roles and authenticated
// gateways have their place here.
#pragma once

#include <cstdint>
#include <string>

#include "grpcpp/server_context.h"
#include "switchyard/config/v1/scheduler.pb.h"

namespace switchyard::scheduler {

struct Principal {
  std::string tenant;
  uint32_t highest_priority = 1;  // Most urgent priority its jobs may have.
};

// Thread-safe, immutable.
class Principals {
 public:
  explicit Principals(const config::v1::SchedulerConfig& config)
      : highest_priority_(config.highest_priority() == 0 ? 1 : config.highest_priority()) {}

  Principal Of(const grpc::ServerContextBase&) const { return {"default", highest_priority_}; }

 private:
  uint32_t highest_priority_;
};

}  // namespace switchyard::scheduler
