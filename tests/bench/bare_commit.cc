#include "tests/bench/bare_commit.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "scheduler/store/sqlite_store.h"

namespace switchyard::bench {
namespace {

absl::StatusOr<std::vector<absl::Duration>> Measure(const std::string& folder, int count) {
  auto store = scheduler::OpenSqliteStore({.directory = folder});
  if (!store.ok()) return store.status();
  const absl::StatusOr<uint64_t> epoch = (*store)->BumpEpoch();
  if (!epoch.ok()) return epoch.status();
  std::vector<absl::Duration> times;
  scheduler::WriteBatch batch;
  for (int i = 1; i <= count; ++i) {
    batch.Clear();
    scheduler::JobRow& row = batch.inserts.emplace_back();
    row.id = i;
    row.tenant = "default";
    row.spec.assign(200, 's');
    row.record.assign(100, 'r');
    const absl::Time begin = absl::Now();
    const absl::Status status = (*store)->Commit(*epoch, batch);
    if (!status.ok()) return status;
    times.push_back(absl::Now() - begin);
  }
  return times;
}

}  // namespace

absl::StatusOr<std::vector<absl::Duration>> MeasureBareCommits(const std::string& directory,
                                                               int count) {
  std::string folder = directory + "/bare_commit.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("cannot make a folder in ", directory));
  }
  auto times = Measure(folder, count);
  std::filesystem::remove_all(folder);
  return times;
}

}  // namespace switchyard::bench
