// Whether this scheduler leads: asked by the engine, the services and every thread that works for
// the whole installation (pipelines, schedules, retention).
//
// Why a port: on SQLite a scheduler is alone and leads for ever; on PostgreSQL it leads as long as
// its lease runs (scheduler/lead); the simulation takes the lead away when it likes.
//
// The promise behind `until`: nobody else leads before that time has come on this machine's
// CLOCK_BOOTTIME. Whoever acts for the installation looks AFTER it took what it acts upon: what a
// frozen process does later than `until` was then decided before.
//
// Thread-safe; no call blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "scheduler/store/lease_store.h"

namespace switchyard::scheduler {

struct Lead {
  uint64_t term = 0;     // Highest known; grows whenever the lead is taken.
  bool leads = false;    // In this term, until `until`.
  absl::Duration until;  // BootTime.
};

// Who leads and who stands by, for people.
struct SchedulersView {
  SchedulerIdentity leader;  // Has the highest term that is known; no name: nobody, or not known.
  std::vector<StandbyRow> standbys;  // By name; known to the leader only.
};

class Leadership {
 public:
  virtual ~Leadership() = default;
  virtual Lead Present() const = 0;
  virtual SchedulersView Schedulers() const = 0;
};

// Leads for ever, in term 1. Lives for ever.
const Leadership& AloneLeads();

// The term this scheduler leads in at this moment; 0: it does not lead.
uint64_t LeadingTerm(const Leadership& leadership, Clock& clock);

// UNAVAILABLE, reason NOT_LEADER, naming the leader when it is known: what a scheduler that does
// not lead answers to everything.
absl::Status NotLeader(const Leadership& leadership);

}  // namespace switchyard::scheduler
