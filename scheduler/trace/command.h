// `switchyard-scheduler simulate`: what its arguments are and what it does with them.
//
// Prints a table (or JSON) of how each policy did on each trace, and what ours lost.
#pragma once

#include <iosfwd>
#include <vector>

#include "scheduler/trace/job_log.h"
#include "scheduler/trace/run.h"

namespace switchyard::scheduler {

// What the command needs of the world around it.
struct SimulateTools {
  std::vector<KindConfig> kinds;  // Of Cluster::kinds.
  RunProbes probes;
  OpenJobLog open_log;  // For --replay.
};

// `argv[0]` is the program's name with the command, as the help page shows it. Gives the exit code:
// 0, also when ours lost; 1 for a trace that cannot be run; 2 for arguments that are wrong.
int SimulateMain(int argc, const char* const* argv, const SimulateTools& tools, std::ostream& out,
                 std::ostream& errors);

}  // namespace switchyard::scheduler
