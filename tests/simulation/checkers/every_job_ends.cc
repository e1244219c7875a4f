// Every job ends once faults have stopped.
#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class EveryJobEnds final : public Checker {
 public:
  EveryJobEnds() : Checker("every_job_ends") {}

  void AtEnd(const std::vector<StoredJob>& stored) override {
    for (const StoredJob& job : stored) {
      Look();
      if (scheduler::HasEnded(job.image.state)) continue;
      Violated(absl::StrCat("job ", FormatJobId(job.image.id), " has not ended: state ",
                            static_cast<int>(job.image.state), " reason ",
                            static_cast<int>(job.image.reason), " (", job.image.message, ") kind ",
                            job.image.kind, " devices ", job.image.device_count, " memory ",
                            job.image.memory_bytes, " attempts ", job.image.attempt_count,
                            " device ", job.image.device));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeEveryJobEnds() { return std::make_unique<EveryJobEnds>(); }

}  // namespace switchyard::simulation
