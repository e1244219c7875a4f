#include "worker/tasks/source/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/tasks/source/archive.h"
#include "worker/tasks/source/beneath.h"

namespace switchyard::worker {
namespace {

// Folder and name of a relative path.
std::pair<std::string, std::string> SplitPath(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

absl::StatusOr<std::unique_ptr<FileTree>> OpenPath(const std::vector<std::string>& roots,
                                                   const std::string& path,
                                                   const SourceLimits& limits) {
  absl::StatusOr<PathInRoot> place = FindRoot(roots, path);
  if (!place.ok()) return place.status();
  absl::StatusOr<Descriptor> opened =
      OpenBeneath(place->root.get(), place->path, O_RDONLY | O_NONBLOCK, path);
  if (!opened.ok()) return opened.status();
  struct stat facts;
  if (fstat(opened->get(), &facts) != 0) return absl::InternalError(std::strerror(errno));
  if (S_ISDIR(facts.st_mode)) return MakeFolderTree(opened->Release(), limits);
  if (!S_ISREG(facts.st_mode)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "NOT_A_FILE",
                     absl::StrCat("'", path, "' is neither a file nor a folder"));
  }
  const auto [folder, name] = SplitPath(place->path);
  absl::StatusOr<Descriptor> parent =
      OpenBeneath(place->root.get(), folder, O_PATH | O_DIRECTORY, path);
  if (!parent.ok()) return parent.status();
  return MakeOneFileTree(parent->Release(), name);
}

std::string FirstBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(512, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

absl::StatusOr<Descriptor> OpenFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::InternalError(absl::StrCat(path, ": ", std::strerror(errno)));
  return Descriptor(fd);
}

absl::StatusOr<std::unique_ptr<FileTree>> OpenArtifact(AttemptContext& context,
                                                       const std::string& sha256,
                                                       const std::string& scratch,
                                                       const SourceLimits& limits) {
  const std::string folder = absl::StrCat(context.work_dir(), "/", scratch);
  if (mkdir(folder.c_str(), 0700) != 0) {
    return absl::InternalError(absl::StrCat(folder, ": ", std::strerror(errno)));
  }
  const std::string fetched = absl::StrCat(folder, "/", sha256);
  absl::Status status = FetchToFile(context.artifacts(), sha256, fetched);
  if (!status.ok()) return status;
  const bool archive = LooksLikeArchive(FirstBytes(fetched));
  const std::string content = absl::StrCat(folder, "/files");
  if (archive) {
    if (mkdir(content.c_str(), 0700) != 0) return absl::InternalError(std::strerror(errno));
    status = UnpackArchive(fetched, content, limits, [&context] { return context.Cancelled(); });
    unlinkat(AT_FDCWD, fetched.c_str(), 0);
    if (!status.ok()) return status;
  }
  absl::StatusOr<Descriptor> opened = OpenFolder(archive ? content : folder);
  if (!opened.ok()) return opened.status();
  if (archive) return MakeFolderTree(opened->Release(), limits);
  return MakeOneFileTree(opened->Release(), sha256);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileTree>> OpenSource(AttemptContext& context,
                                                     const api::Source& source,
                                                     const std::string& scratch,
                                                     const SourceLimits& limits) {
  switch (source.location_case()) {
    case api::Source::kPath:
      return OpenPath(context.data_roots(), source.path(), limits);
    case api::Source::kArtifact: {
      auto tree = OpenArtifact(context, source.artifact(), scratch, limits);
      if (tree.ok()) return tree;
      return Annotate(tree.status(), absl::StrCat("artifact ", source.artifact()));
    }
    default:
      return absl::InvalidArgumentError("the source has neither path nor artifact");
  }
}

}  // namespace switchyard::worker
