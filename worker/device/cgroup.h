// What bounds this process and counts for it: its cgroup, version 2, or version 1's memory files
// where there is no other. Reads files each time; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::worker {

// The text of a small file; empty when it cannot be read.
std::string ReadSmallFile(const std::string& path);

// Folder of this process's cgroup v2; the root when it cannot be told (in a container the root is
// the container's own).
std::string CgroupFolder();

struct CgroupMemory {
  int64_t limit_bytes = -1;  // -1: none.
  int64_t used_bytes = 0;    // Without file pages that the kernel gives back by itself.
};
CgroupMemory ReadCgroupMemory();

// Whole cores it may use at most; 0: no limit.
uint32_t ReadCgroupCores();

// Processes ended so far because memory ran out: of this cgroup, or of the whole machine where the
// cgroup does not count (as in its root).
uint64_t CountOomKills();

// The parsers behind it, on the files' text.
// memory.max, memory.limit_in_bytes; -1: no limit.
int64_t CgroupMemoryLimit(absl::string_view text);
// cpu.max (`QUOTA PERIOD` or `max PERIOD`): whole cores, at least 1; 0: no limit.
uint32_t CgroupCores(absl::string_view cpu_max);
// The number after `key` in lines of `KEY NUMBER`; -1: not there.
int64_t KeyedNumber(absl::string_view text, absl::string_view key);

}  // namespace switchyard::worker
