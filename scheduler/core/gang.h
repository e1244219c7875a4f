// An attempt on several devices. Internal to the core.
//
// Every device has a LiveAttempt of its own (a seat), which holds the device's place as any attempt
// does. Seats of one worker are a member: it is assigned, cancelled and reported on as one, by the
// member's first seat. All seats have the fencing number of the attempt; LiveJob::attempt is the
// first seat of member 0.
//
// All or none: the seats are made in one step when all places are free; it has started when every
// member has; it has ended when every member has, and one that fails or is lost ends the others.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/core/event.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

struct GangMember {
  std::string worker;
  std::vector<uint32_t> seats;  // In order of rank.
  Outcome outcome = Outcome::kUnspecified;
};

struct Gang {
  uint32_t job = kNone;
  std::vector<GangMember> members;  // In order of rank.
  uint32_t started = 0;             // Members.
  uint32_t ended = 0;
  Outcome outcome = Outcome::kUnspecified;  // Of the first member that did not succeed.
  std::unique_ptr<Finished> failure;        // What it reported, if anything.
  int64_t run_us = 0;                       // As member 0 told.
  uint32_t timer = kNone;                   // Timeout, or the end of a notice's grace.
  std::string rendezvous;
};

}  // namespace switchyard::scheduler
