// What of a device's memory is promised, and to whom: attempts (their grants and their runners'
// contexts) and serving runners (context and budget of resident models). There is one ledger a
// device; cpu devices of workers that name the same ledger share one. Nothing is promised twice, so
// no device runs out by our own promises; what attempts of unknown need take is not counted.
//
// Internal to the core. Not thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// More than any device has: where the memory is not known nothing is compared.
inline constexpr int64_t kMemoryUnknown = std::numeric_limits<int64_t>::max();

struct Ledger {
  int64_t total_bytes = 0;    // 0: not known.
  int64_t granted_bytes = 0;  // Attempts: grants, and contexts of their runners.
  int64_t serving_bytes = 0;  // Serving runners: contexts and budgets.
  int64_t fixed_bytes = 0;    // Of these, the contexts: they are there as long as the runners.
  bool held_back = false;     // See Ledgers::Expect.
  uint32_t users = 0;         // Devices that draw on it.
  std::string id;             // Shared by its name; empty: of one device.
  std::vector<uint32_t> pools;

  bool known() const { return total_bytes > 0; }
  int64_t promised_bytes() const { return granted_bytes + serving_bytes; }
  // What may be promised still; negative when more is held than should be (after an Attach).
  int64_t Free() const {
    if (held_back) return 0;
    return known() ? total_bytes - promised_bytes() : kMemoryUnknown;
  }
};

class Ledgers {
 public:
  // The ledger of a device with `total_bytes`, or the shared one named `id`, which takes the
  // largest total any of its users said. Each Open is closed once.
  uint32_t Open(absl::string_view id, int64_t total_bytes);
  void Close(uint32_t ledger);

  Ledger& operator[](uint32_t ledger) { return ledgers_[ledger]; }
  const Ledger& operator[](uint32_t ledger) const { return ledgers_[ledger]; }

  // After a restart a worker that has not attached yet may hold what its host's ledger does not
  // know of, until its lease is over. The shared ledger promises nothing new before every one of
  // these users is Back or given up.
  void Expect(const std::vector<LedgerUser>& users);
  // A worker attached: nothing is unknown of it any more. Answers with the ledgers that promise
  // again.
  std::vector<uint32_t> Back(const std::string& worker);
  std::vector<uint32_t> GiveUpMissing();

 private:
  std::vector<uint32_t> Release(std::map<std::string, std::set<std::string>>::iterator missing);

  Slab<Ledger> ledgers_;
  std::map<std::string, uint32_t> shared_;
  std::map<std::string, std::set<std::string>> missing_;  // By id: workers that are not back.
};

// Memory of one device of a worker: its ledger, and the budget of its serving runner.
//
// A larger budget is promised at once. A smaller one is asked for, and what it frees is promised to
// others only when the runner said that it obeys.
struct DeviceMemory {
  uint32_t ledger = kNone;
  int64_t context_bytes = 0;   // Of one runner.
  bool serves = false;         // It has a serving runner that obeys budgets.
  int64_t promised_bytes = 0;  // Of the ledger, for resident models.
  int64_t asked_bytes = 0;     // Newest budget sent.
  uint64_t asked = 0;          // Its sequence.
  uint64_t obeyed = 0;         // Newest one answered.
  int64_t held_bytes = 0;
  int64_t busy_bytes = 0;

  bool shrinking() const { return asked > obeyed && asked_bytes < promised_bytes; }
  // What an eviction of idle models could free.
  int64_t Evictable() const {
    return serves && !shrinking() && promised_bytes > busy_bytes ? promised_bytes - busy_bytes : 0;
  }
};

}  // namespace switchyard::scheduler
