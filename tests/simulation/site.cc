#include "tests/simulation/site.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/simulation/random.h"

namespace switchyard::simulation {
namespace {

constexpr int64_t kSecond = 1'000'000;

using Devices = std::vector<std::string>;

Devices Gpus(uint64_t count) {
  Devices devices;
  for (uint64_t i = 0; i < count; ++i) devices.push_back(absl::StrCat("cuda:", i));
  return devices;
}

// Of a hundred sites one is large, nine are middling.
std::vector<Devices> DrawWorkers(Random& random) {
  // The first two share the memory of their host, and the second may leave.
  std::vector<Devices> workers = {{"cpu"}, {"cpu"}, {"cpu", "cuda:0"}};
  const uint64_t size = random.Below(100);
  const bool large = size == 0;
  const int64_t more = large       ? random.Between(20, 60)
                       : size < 10 ? random.Between(3, 8)
                                   : random.Between(0, 2);
  for (int64_t i = 0; i < more; ++i) {
    const uint64_t most = large ? 8 : 2;
    Devices devices = Gpus(random.Between(1, static_cast<int64_t>(most)));
    if (random.Chance(0.3)) devices.push_back("cpu");
    workers.push_back(std::move(devices));
  }
  return workers;
}

// Workers other than the one that may leave with a device of this name.
uint32_t Count(const std::vector<Devices>& workers, const std::string& device) {
  uint32_t count = 0;
  for (size_t i = 0; i < workers.size(); ++i) {
    const Devices& devices = workers[i];
    count += i != 1 && std::find(devices.begin(), devices.end(), device) != devices.end();
  }
  return count;
}

Features DrawFeatures(Random& random) {
  // One site in eight has everything.
  if (random.Chance(0.125)) return Features::All();
  Features features;
  for (size_t i = 0; i < kFeatureNames.size(); ++i) {
    if (random.Chance(0.5)) features.Add(static_cast<Feature>(i));
  }
  return features;
}

}  // namespace

Profile DrawSite(uint64_t seed) {
  Random random(seed ^ 0x5174E5A1D0F00D5Eu);
  Profile site{.name = "mixed"};
  site.workers = DrawWorkers(random);
  site.features = DrawFeatures(random);
  constexpr uint32_t kLargestGang = 6;
  site.largest_gang =
      std::min({kLargestGang, Count(site.workers, "cpu"), Count(site.workers, "cuda:0")});
  if (site.largest_gang < 2) site.features.Remove(Feature::kGangs);
  site.fault_time_us = random.Between(80, 300) * kSecond;
  site.longest_calm_us = random.Between(2, 8) * kSecond;
  // As dense on a large site as on a small one.
  const int64_t workers = static_cast<int64_t>(site.workers.size());
  const int64_t every_us = random.Between(2, 5) * kSecond * 4 / workers;
  site.submits = static_cast<int>(site.fault_time_us / std::max(every_us, kSecond / 4));
  site.largest_batch = static_cast<int>(random.Between(2, 12));
  return site;
}

}  // namespace switchyard::simulation
