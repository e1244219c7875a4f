// No result from a stale lease is accepted: a job that SUCCEEDED has the result of its last
// attempt, made under the fencing number that attempt was dispatched with, and fencing numbers of a
// job only grow.
#include "absl/strings/str_cat.h"
#include "switchyard/v1/job.pb.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class NoStaleResult final : public Checker {
 public:
  NoStaleResult() : Checker("no_stale_result") {}

  void OnChange(const JobImage& image, int64_t) override { Check(image); }
  void AtEnd(const std::vector<StoredJob>& stored) override {
    for (const StoredJob& job : stored) Check(job.image);
  }

 private:
  void Check(const JobImage& image) {
    if (image.state != scheduler::JobState::kSucceeded) return;
    Look();
    v1::Job result;
    result.ParseFromString(image.result);
    const auto& last = image.attempts.back();
    const std::string made_under = result.noop_result().payload();
    const std::string expected =
        Describe({image.id, last.number, last.fencing}) + " " + last.worker;
    if (made_under != expected || last.outcome != scheduler::Outcome::kSucceeded) {
      Violated(absl::StrCat("job ", FormatJobId(image.id), " took the result of [", made_under,
                            "] as that of [", expected, "]"));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeNoStaleResult() { return std::make_unique<NoStaleResult>(); }

}  // namespace switchyard::simulation
