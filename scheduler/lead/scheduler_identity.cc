#include "scheduler/lead/scheduler_identity.h"

#include <filesystem>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace switchyard::scheduler {

absl::StatusOr<std::string> ReadOrMakeSchedulerId(const std::string& directory) {
  const std::string path = directory + "/scheduler.id";
  std::string id;
  if (std::ifstream in(path); in >> id && id.size() == 32) return id;
  std::random_device random;
  id = absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
  const std::string draft = path + ".new";
  std::ofstream out(draft, std::ios::trunc);
  out << id << "\n";
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(draft, path, error);
  if (out && !error) return id;
  return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
}

}  // namespace switchyard::scheduler
