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
  Place place;         // Of that job.
  // As computed at `version` of the places and `at_us`.
  uint64_t version = 0;
  int64_t at_us = -1;
  GangStart start;

  // Whether a job goes before it in any case. Within a level only one that is ranked better and was
  // due before: there are ever fewer of these. (Tenants take turns; a gang that lost its devices to
  // each of them in turn would never start.)
  bool ComesBehind(const Place& other) const {
    const auto urgency = std::tie(other.beyond_guarantee, other.level);
    const auto own = std::tie(place.beyond_guarantee, place.level);
    if (urgency != own) return urgency < own;
    return other < place && other.due < place.due;
  }
};

}  // namespace switchyard::scheduler
