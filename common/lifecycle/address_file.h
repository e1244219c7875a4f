// Where a daemon that was told to take a free port (port 0) says which it took: a small file of
// `name=HOST:PORT` lines, written once everything is bound. Whoever started the daemon waits for
// it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace switchyard {

// Writes the lines into FILE.tmp.PID and renames it to FILE: a reader sees nothing or everything.
// An empty `file` does nothing. REQUIRES: names and addresses hold no line end, names no '='.
absl::Status WriteAddressFile(const std::string& file,
                              const std::vector<std::pair<std::string, std::string>>& addresses);

// Address by name. NOT_FOUND when there is no such file (yet); INVALID_ARGUMENT names a malformed
// line.
absl::StatusOr<std::map<std::string, std::string>> ReadAddressFile(const std::string& file);

}  // namespace switchyard
