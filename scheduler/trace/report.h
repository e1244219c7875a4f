// Results for people and for programs. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "scheduler/trace/compare.h"

namespace switchyard::scheduler {

// The heading of a table, and one comparison's rows; Markdown, so that it can be kept as it is.
std::string TableHead();
std::string TableRows(const Comparison& comparison);
// One line each of what was lost, or one that nothing was.
std::string Verdict(const Comparison& comparison);

// All of them as one JSON document.
std::string Json(const std::vector<Comparison>& comparisons);

}  // namespace switchyard::scheduler
