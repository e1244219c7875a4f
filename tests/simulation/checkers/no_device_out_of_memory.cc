// No device runs out of memory by our own promises: what attempts truly hold, bounded by what they
// were granted, and what serving runners truly hold is together never more than the device has.
#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class NoDeviceOutOfMemory final : public Checker {
 public:
  NoDeviceOutOfMemory() : Checker("no_device_out_of_memory") {}

  void OnHolds(const std::string& memory, int64_t total_bytes, const std::string& holder,
               int64_t bytes) override {
    Look();
    Memory& held = memories_[memory];
    int64_t& before = held.by_holder[holder];
    held.sum += bytes - before;
    const bool grows = bytes > before;
    before = bytes;
    if (bytes == 0) held.by_holder.erase(holder);
    if (!grows || held.sum <= total_bytes) return;
    Violated(absl::StrCat(holder, " holds ", bytes, " bytes of ", memory, ", where ", held.sum,
                          " are held of ", total_bytes));
  }

 private:
  struct Memory {
    int64_t sum = 0;
    std::map<std::string, int64_t> by_holder;
  };
  std::map<std::string, Memory> memories_;
};

}  // namespace

std::unique_ptr<Checker> MakeNoDeviceOutOfMemory() {
  return std::make_unique<NoDeviceOutOfMemory>();
}

}  // namespace switchyard::simulation
