// What is kept for the best gang that finds no place (policy/backfill.h). Internal to the core.
//
// A reservation names no devices: it closes the shapes its gang could use to what is less urgent,
// but for work that does not move the gang's start. So holding one costs nothing for each device,
// and the gang takes whichever devices are free together first.
#pragma once

#include <cstdint>
#include <tuple>

#include "scheduler/core/types.h"
#include "scheduler/policy/backfill.h"
#include "scheduler/policy/ordering.h"

namespace switchyard::scheduler {

struct Reservation {
  uint32_t group = 0;  // Whichever job of it is best takes the devices.
  bool beyond_guarantee = false;
  int level = 0;
  // As computed at `version` of the places and `at_us`.
  uint64_t version = 0;
  int64_t at_us = -1;
  GangStart start;

  // Whether a job comes first in any case. Within a level the reservation does: tenants take turns,
  // and a gang that lost its devices to each of them in turn would never start.
  bool ComesBehind(const Place& place) const {
    return std::tie(place.beyond_guarantee, place.level) < std::tie(beyond_guarantee, level);
  }
};

}  // namespace switchyard::scheduler
