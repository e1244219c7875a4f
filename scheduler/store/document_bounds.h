// Between which (tenant, id) the documents of a query lie, for stores that ask a database by range.
#pragma once

#include <string>
#include <utility>

#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// What is listed lies between these two, neither included. Ids are not empty, and nothing is above
// the last code point.
struct DocumentBounds {
  explicit DocumentBounds(const DocumentQuery& query) {
    const char kLast[] = "\xF4\x8F\xBF\xBF";
    above = {query.tenant.value_or(""), ""};
    below = {query.tenant.value_or(kLast), kLast};
    if (query.after.has_value()) (query.descending ? below : above) = *query.after;
  }
  std::pair<std::string, std::string> above;
  std::pair<std::string, std::string> below;
};

}  // namespace switchyard::scheduler
