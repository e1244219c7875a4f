// What memory the device library gave to one attempt: counted, and bounded by its grant.
//
// Why a port: the runner's frame reports an attempt's peak and knows its limit, and does not know
// the library that allocates.
#pragma once

#include <cstdint>

namespace switchyard::worker {

// Thread-safe. Outlives the threads that entered it, not the memory it counted.
class AttemptMemory {
 public:
  virtual ~AttemptMemory() = default;
  // What the calling thread allocates from here until Leave is this attempt's, whoever frees it.
  virtual void Enter() {}
  virtual void Leave() {}
  // Counts memory that the attempt keeps to its end beside the library's, where both are the same
  // memory (a cpu device). False, and not counted, when its limit would be passed.
  virtual bool Keep(int64_t) { return true; }
  // Most it held at once, bytes; when an allocation was refused, what would have been held with it.
  // 0: not measured.
  virtual int64_t peak_bytes() const { return 0; }
};

}  // namespace switchyard::worker
