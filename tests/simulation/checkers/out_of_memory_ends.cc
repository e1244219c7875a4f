// A job that runs out of memory again and again ends: its attempts that ran out are bounded.
#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

constexpr uint32_t kMost = 8;  // CoreConfig::max_out_of_memory_attempts.

class OutOfMemoryEnds final : public Checker {
 public:
  OutOfMemoryEnds() : Checker("out_of_memory_ends") {}

  void OnChange(const JobImage& image, int64_t) override { See(image); }
  void AtEnd(const std::vector<StoredJob>& stored) override {
    for (const StoredJob& job : stored) See(job.image);
  }

 private:
  void See(const JobImage& image) {
    if (image.out_of_memory_attempts == 0) return;
    Look();
    if (image.out_of_memory_attempts <= kMost) return;
    Violated(absl::StrCat("job ", FormatJobId(image.id), " ran out of memory ",
                          image.out_of_memory_attempts, " times"));
  }
};

}  // namespace

std::unique_ptr<Checker> MakeOutOfMemoryEnds() { return std::make_unique<OutOfMemoryEnds>(); }

}  // namespace switchyard::simulation
