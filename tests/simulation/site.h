// A seed's own site: how many workers with which devices, how long faults last and how dense they
// are, how much is submitted, and which features are on.
//
// Why: a hundred thousand seeds of one site are less than ten thousand of different ones. Most are
// small, since there everything collides and a seed costs milliseconds; a few are large. Pure
// function.
#pragma once

#include <cstdint>

#include "tests/simulation/profile.h"

namespace switchyard::simulation {

// On every site a cpu and a GPU are left when `w2` leaves for good, and as many of each as the
// largest gang needs.
Profile DrawSite(uint64_t seed);

}  // namespace switchyard::simulation
