#include "worker/tasks/command/work_files.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/artifacts/file_io.h"
#include "common/status/error.h"
#include "worker/tasks/command/tar_writer.h"
#include "worker/tasks/command/work_folder.h"
#include "worker/tasks/source/archive.h"

namespace switchyard::worker {
namespace {

namespace fs = std::filesystem;
using ::switchyard::v1::CommandInput;
using ::switchyard::v1::CommandOutput;
using ::switchyard::v1::OutputArtifact;

constexpr int64_t kBlockBytes = 1 << 20;
constexpr size_t kMostFiles = 10'000;  // Of a packed folder.
constexpr size_t kMostMatches = 64;    // Of one output.
constexpr int kMostDepth = 32;
constexpr char kCheckpoint[] = "checkpoint";

absl::Status Cancelled() { return absl::CancelledError("the attempt was cancelled"); }

bool HasWildcard(absl::string_view step) { return step.find_first_of("*?[") != step.npos; }

std::string Join(const std::string& folder, absl::string_view name) {
  return folder.empty() || folder == "." ? std::string(name) : absl::StrCat(folder, "/", name);
}

absl::Status MakeParent(const std::string& file) {
  std::error_code error;
  fs::create_directories(fs::path(file).parent_path(), error);
  return error ? FileError(error.value(), "make the folder of", file) : absl::OkStatus();
}

OutputArtifact MakeOutput(const std::string& name, const ArtifactInfo& info, bool folder) {
  OutputArtifact output;
  output.set_name(name);
  output.set_sha256(info.sha256);
  output.set_size_bytes(info.size_bytes);
  output.set_media_type(folder ? "application/x-tar" : "application/octet-stream");
  return output;
}

}  // namespace

WorkFiles::WorkFiles(ArtifactStore& artifacts, std::string folder, std::string scratch,
                     uint64_t most_bytes, std::function<bool()> cancelled)
    : artifacts_(artifacts),
      folder_(std::move(folder)),
      scratch_(std::move(scratch)),
      most_bytes_(most_bytes),
      cancelled_(std::move(cancelled)) {}

absl::Status WorkFiles::Count(uint64_t bytes, uint64_t* total, absl::string_view reason) const {
  *total += bytes;
  if (cancelled_()) return Cancelled();
  if (*total <= most_bytes_) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, reason,
                   absl::StrCat("the files of this command are more than ", most_bytes_,
                                " bytes, the worker's commands.artifact_bytes"));
}

absl::Status WorkFiles::Fetch(const CommandInput& input) {
  const std::string place = absl::StrCat(folder_, "/", input.path());
  const absl::Status status =
      input.unpack() ? Unpack(input.artifact(), place) : FetchTo(input.artifact(), place);
  return status.ok() ? status : Annotate(status, absl::StrCat("input ", input.path()));
}

absl::Status WorkFiles::FetchTo(const std::string& sha256, const std::string& file) {
  if (absl::Status made = MakeParent(file); !made.ok()) return made;
  absl::StatusOr<std::unique_ptr<ArtifactReader>> reader = artifacts_.Open(sha256);
  if (!reader.ok()) return reader.status();
  const UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return FileError(errno, "write", file);
  while (true) {
    absl::StatusOr<std::string> block = (*reader)->Read(kBlockBytes);
    if (!block.ok()) return block.status();
    if (block->empty()) return absl::OkStatus();
    absl::Status status = Count(block->size(), &bytes_in_, "INPUT_TOO_LARGE");
    if (status.ok()) status = WriteFully(fd.get(), *block, file);
    if (!status.ok()) return status;
  }
}

absl::Status WorkFiles::Unpack(const std::string& sha256, const std::string& folder) {
  const std::string archive = scratch_ + "/archive";
  absl::Status status = FetchTo(sha256, archive);
  std::error_code error;
  if (status.ok() && !fs::create_directories(folder, error) && error)
    status = FileError(error.value(), "make", folder);
  const SourceLimits limits{.max_files = 100'000, .max_bytes = static_cast<int64_t>(most_bytes_)};
  if (status.ok()) status = UnpackArchive(archive, folder, limits, cancelled_);
  fs::remove(archive, error);
  return status;
}

absl::Status WorkFiles::Match(const std::string& done, absl::string_view pattern,
                              std::vector<Found>* found) {
  const size_t slash = pattern.find('/');
  const std::string step(pattern.substr(0, slash));
  const absl::string_view rest = slash == pattern.npos ? "" : pattern.substr(slash + 1);
  std::vector<std::string> names = {step};
  if (HasWildcard(step)) {
    absl::StatusOr<std::vector<std::string>> all = ListFolder(folder_, done.empty() ? "." : done);
    if (!all.ok()) return absl::OkStatus();  // No folder, or a link: nothing matches.
    names.clear();
    for (const std::string& name : *all) {
      if (fnmatch(step.c_str(), name.c_str(), FNM_PERIOD) == 0) names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    const std::string path = step.empty() || step == "." ? done : Join(done, name);
    if (!rest.empty()) {
      if (absl::Status status = Match(path, rest, found); !status.ok()) return status;
      continue;
    }
    const EntryType type = TypeOf(folder_, path.empty() ? "." : path);
    if (type == EntryType::kMissing) continue;
    if (type == EntryType::kOther) {
      return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_NOT_A_FILE",
                       absl::StrCat("'", path,
                                    "' is neither a file nor a folder, or lies behind "
                                    "a link; links are not followed"),
                       {{"path", path}});
    }
    found->push_back({path, type == EntryType::kFolder});
    if (found->size() > kMostMatches) {
      return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_TOO_MANY",
                       absl::StrCat("more than ", kMostMatches,
                                    " files match; name their folder, which is packed whole"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<OutputArtifact>> WorkFiles::Store(const CommandOutput& output) {
  const auto annotate = [&output](const absl::Status& status) {
    return Annotate(status, absl::StrCat("output ", output.name()));
  };
  std::vector<Found> found;
  if (absl::Status status = Match("", output.path(), &found); !status.ok()) return annotate(status);
  if (found.empty() && !output.optional()) {
    return annotate(MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_MISSING",
                              absl::StrCat("the program left no file '", output.path(), "'"),
                              {{"path", output.path()}}));
  }
  std::vector<OutputArtifact> stored;
  for (const Found& entry : found) {
    size_t files = 0;
    const absl::StatusOr<ArtifactInfo> info =
        entry.folder ? StoreFolder(entry.path, &files) : StoreFile(entry.path);
    if (!info.ok()) return annotate(info.status());
    const bool one = !HasWildcard(output.path());
    const std::string name = one ? output.name() : absl::StrCat(output.name(), "/", entry.path);
    stored.push_back(MakeOutput(name, *info, entry.folder));
  }
  return stored;
}

absl::StatusOr<ArtifactInfo> WorkFiles::StoreFile(const std::string& path) {
  const absl::StatusOr<OpenedFile> file = OpenFile(folder_, path);
  if (!file.ok()) return file.status();
  absl::StatusOr<std::unique_ptr<ArtifactWriter>> writer = artifacts_.Create();
  if (!writer.ok()) return writer.status();
  while (true) {
    absl::StatusOr<std::string> block = ReadSome(file->fd.get(), kBlockBytes, path);
    if (!block.ok()) return block.status();
    if (block->empty()) return (*writer)->Finish("");
    absl::Status status = Count(block->size(), &bytes_out_, "OUTPUT_TOO_LARGE");
    if (status.ok()) status = (*writer)->Append(*block);
    if (!status.ok()) return status;
  }
}

absl::StatusOr<ArtifactInfo> WorkFiles::StoreFolder(const std::string& path, size_t* files) {
  absl::StatusOr<std::unique_ptr<ArtifactWriter>> writer = artifacts_.Create();
  if (!writer.ok()) return writer.status();
  TarWriter tar(**writer);
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string below = std::move(waiting.back());
    waiting.pop_back();
    const absl::StatusOr<std::vector<std::string>> names = ListFolder(folder_, Join(path, below));
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      const std::string entry = Join(below, name);
      const std::string whole = Join(path, entry);
      const EntryType type = TypeOf(folder_, whole);
      if (type == EntryType::kFolder) {
        if (std::count(entry.begin(), entry.end(), '/') >= kMostDepth) {
          return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_TOO_DEEP",
                           absl::StrCat("'", path, "' is nested deeper than ", kMostDepth));
        }
        waiting.push_back(entry);
        continue;
      }
      if (type != EntryType::kFile) continue;  // Links and sockets are no content.
      if (++*files > kMostFiles) {
        return MakeError(absl::StatusCode::kFailedPrecondition, "OUTPUT_TOO_MANY",
                         absl::StrCat("'", path, "' holds more than ", kMostFiles, " files"));
      }
      const absl::StatusOr<OpenedFile> file = OpenFile(folder_, whole);
      if (!file.ok()) return file.status();
      absl::Status status = Count(file->size_bytes, &bytes_out_, "OUTPUT_TOO_LARGE");
      if (status.ok()) status = tar.Add(entry, file->fd.get(), file->size_bytes, cancelled_);
      if (!status.ok()) return status;
    }
  }
  if (absl::Status status = tar.Finish(); !status.ok()) return status;
  return (*writer)->Finish("");
}

absl::Status WorkFiles::RestoreCheckpoint(const std::string& sha256) {
  const absl::Status status = Unpack(sha256, absl::StrCat(folder_, "/", kCheckpoint));
  return status.ok() ? status : Annotate(status, "restoring the checkpoint");
}

absl::StatusOr<OutputArtifact> WorkFiles::StoreCheckpoint() {
  bytes_out_ = 0;  // Each checkpoint replaces the one before.
  size_t files = 0;
  if (TypeOf(folder_, kCheckpoint) != EntryType::kFolder) return OutputArtifact();
  absl::StatusOr<ArtifactInfo> info = StoreFolder(kCheckpoint, &files);
  bytes_out_ = 0;
  if (!info.ok()) return Annotate(info.status(), "storing the checkpoint");
  if (files == 0) return OutputArtifact();
  return MakeOutput(kCheckpoint, *info, /*folder=*/true);
}

}  // namespace switchyard::worker
