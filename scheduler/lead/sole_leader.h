// The lead of a scheduler that has its store to itself: for ever, in term 1. Thread-safe once the
// address is set.
#pragma once

#include <string>
#include <utility>

#include "scheduler/engine/leadership.h"

namespace switchyard::scheduler {

class SoleLeader final : public Leadership {
 public:
  explicit SoleLeader(SchedulerIdentity self) : self_(std::move(self)) {}
  void set_client_address(const std::string& address) { self_.client_address = address; }

  Lead Present() const override { return AloneLeads().Present(); }
  SchedulersView Schedulers() const override { return {.leader = self_, .standbys = {}}; }

 private:
  SchedulerIdentity self_;
};

}  // namespace switchyard::scheduler
