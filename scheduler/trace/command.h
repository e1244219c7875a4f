// `switchyard-scheduler simulate`: what its arguments are and what it does with them.
//
// Prints a table (or JSON) of how each policy did on each trace, and what ours lost.
#pragma once

#include <iosfwd>

#include "scheduler/trace/run.h"

namespace switchyard::scheduler {

// `argv[0]` is the program's name with the command, as the help page shows it. Gives the exit code:
// 0, also when ours lost; 1 for a trace that cannot be run; 2 for arguments that are wrong.
// `kinds`: those of Cluster::kinds.
int SimulateMain(int argc, const char* const* argv, const std::vector<KindConfig>& kinds,
                 const RunProbes& probes, std::ostream& out, std::ostream& errors);

}  // namespace switchyard::scheduler
