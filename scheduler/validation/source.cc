#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/hash/sha256.h"
#include "scheduler/validation/excerpt.h"
#include "scheduler/validation/job_spec.h"

namespace switchyard::scheduler {
namespace {

constexpr size_t kMostPathBytes = 4095;  // PATH_MAX without its NUL.

bool HasParentStep(absl::string_view path) {
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part == "..") return true;
  }
  return false;
}

void CheckPath(absl::string_view path, absl::string_view field, FieldFaults& faults) {
  if (!absl::StartsWith(path, "/")) {
    faults.Add(field, absl::StrCat("must be an absolute path on the worker's host; it is \"",
                                   Excerpt(path, 100), "\""));
  } else if (HasParentStep(path)) {
    faults.Add(field, "must not contain \"..\"");
  } else if (path.size() > kMostPathBytes || absl::StrContains(path, absl::string_view("\0", 1))) {
    faults.Add(field, absl::StrCat("must be at most ", kMostPathBytes, " bytes without NUL"));
  }
}

}  // namespace

void CheckSource(const v1::Source& source, absl::string_view field, FieldFaults& faults) {
  switch (source.location_case()) {
    case v1::Source::kPath:
      CheckPath(source.path(), absl::StrCat(field, ".path"), faults);
      break;
    case v1::Source::kArtifact:
      if (!IsSha256Hex(source.artifact())) {
        faults.Add(absl::StrCat(field, ".artifact"), "must be a SHA-256: 64 lower-case hex digits");
      }
      break;
    case v1::Source::LOCATION_NOT_SET:
      faults.Add(field, "must have exactly one of path and artifact set");
      break;
  }
  if (!v1::Source::Format_IsValid(source.format())) {
    faults.Add(absl::StrCat(field, ".format"), "must be IMAGE_FOLDER, SIGMF or unset");
  }
}

}  // namespace switchyard::scheduler
