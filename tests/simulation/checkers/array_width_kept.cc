// No more jobs of an array run at the same time than its width.
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/simulation/checker.h"

namespace switchyard::simulation {
namespace {

class ArrayWidthKept final : public Checker {
 public:
  ArrayWidthKept() : Checker("array_width_kept") {}

  // What is handed out was published before it can run.
  void OnChange(const JobImage& image, int64_t) override {
    if (image.array.id != 0) arrays_[image.id] = image.array;
  }
  void OnRun(const Site& site, const AttemptRef& ref, int64_t) override {
    const auto array = arrays_.find(ref.job);
    if (array == arrays_.end()) return;
    Look();
    auto& running = running_[array->second.id];
    running[ref.job].insert(site);
    if (running.size() <= array->second.width) return;
    Violated(absl::StrCat(Describe(ref), " is number ", running.size(), " of array ",
                          FormatJobId(array->second.id), ", whose width is ", array->second.width));
  }
  void OnRunEnd(const Site& site, const AttemptRef& ref, int64_t) override {
    const auto array = arrays_.find(ref.job);
    if (array == arrays_.end()) return;
    auto& running = running_[array->second.id];
    // A gang runs on several.
    auto& sites = running[ref.job];
    sites.erase(site);
    if (sites.empty()) running.erase(ref.job);
  }

 private:
  std::map<JobId, scheduler::ArrayMembership> arrays_;
  std::map<JobId, std::map<JobId, std::set<Site>>> running_;  // By array, by job.
};

}  // namespace

std::unique_ptr<Checker> MakeArrayWidthKept() { return std::make_unique<ArrayWidthKept>(); }

}  // namespace switchyard::simulation
