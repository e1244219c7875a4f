#include "worker/tasks/source/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/tasks/source/beneath.h"

namespace switchyard::worker {
namespace {

absl::Status NoSuchFile(const std::string& path) {
  return MakeError(absl::StatusCode::kNotFound, "FILE_NOT_FOUND",
                   absl::StrCat("'", path, "' is not in the source"), {{"path", path}});
}

class MemoryTree final : public FileTree {
 public:
  explicit MemoryTree(std::map<std::string, std::string> files) : contents_(std::move(files)) {
    for (const auto& [path, content] : contents_) files_.push_back(path);
  }
  absl::StatusOr<int64_t> Size(const std::string& path) const override {
    const auto found = contents_.find(path);
    if (found == contents_.end()) return NoSuchFile(path);
    return static_cast<int64_t>(found->second.size());
  }
  absl::StatusOr<std::string> ReadRange(const std::string& path, int64_t offset,
                                        int64_t length) const override {
    const auto found = contents_.find(path);
    if (found == contents_.end()) return NoSuchFile(path);
    const std::string& content = found->second;
    if (offset >= static_cast<int64_t>(content.size())) return std::string();
    return content.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
  }

 private:
  const std::map<std::string, std::string> contents_;
};

absl::StatusOr<std::string> ReadAt(int fd, const std::string& path, int64_t offset,
                                   int64_t length) {
  std::string bytes(static_cast<size_t>(length), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        pread(fd, bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return absl::UnavailableError(absl::StrCat("reading '", path, "': ", std::strerror(errno)));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

// Files beneath an open folder. Every read opens its file anew, beneath that folder.
class DiskTree final : public FileTree {
 public:
  DiskTree(Descriptor folder, std::vector<std::string> files) : folder_(std::move(folder)) {
    files_ = std::move(files);
    std::sort(files_.begin(), files_.end());
  }
  absl::StatusOr<int64_t> Size(const std::string& path) const override {
    absl::StatusOr<Descriptor> file = Open(path);
    if (!file.ok()) return file.status();
    struct stat facts;
    if (fstat(file->get(), &facts) != 0) return NoSuchFile(path);
    return static_cast<int64_t>(facts.st_size);
  }
  absl::StatusOr<std::string> ReadRange(const std::string& path, int64_t offset,
                                        int64_t length) const override {
    absl::StatusOr<Descriptor> file = Open(path);
    if (!file.ok()) return file.status();
    struct stat facts;
    if (fstat(file->get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
      return absl::InvalidArgumentError(absl::StrCat("'", path, "' is not a plain file"));
    }
    const int64_t there = std::max<int64_t>(0, facts.st_size - offset);
    return ReadAt(file->get(), path, offset, std::min(length, there));
  }

 private:
  // O_NONBLOCK: a named pipe put in a file's place must not hold us.
  absl::StatusOr<Descriptor> Open(const std::string& path) const {
    return OpenBeneath(folder_.get(), path, O_RDONLY | O_NONBLOCK, path);
  }
  const Descriptor folder_;
};

// Collects the plain files beneath a folder.
class Walk {
 public:
  Walk(int folder, const SourceLimits& limits) : folder_(folder), limits_(limits) {}

  absl::Status Visit(const std::string& prefix, int depth) {
    if (depth > limits_.max_depth) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", prefix, "' is nested deeper than ", limits_.max_depth, " folders"));
    }
    absl::StatusOr<Descriptor> fd = OpenBeneath(folder_, prefix.empty() ? "." : prefix,
                                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW, prefix);
    if (!fd.ok()) return fd.status();
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(fdopendir(fd->get()), closedir);
    if (directory == nullptr) return absl::InternalError(std::strerror(errno));
    fd->Release();
    while (const dirent* entry = readdir(directory.get())) {
      const absl::Status status = Add(prefix, entry->d_name, depth);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  std::vector<std::string> Take() { return std::move(files_); }

 private:
  absl::Status Add(const std::string& prefix, absl::string_view name, int depth) {
    if (name[0] == '.') return absl::OkStatus();
    const std::string path = prefix.empty() ? std::string(name) : absl::StrCat(prefix, "/", name);
    if (!simdjson::validate_utf8(path.data(), path.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("the name of '", absl::CHexEscape(path), "' is not UTF-8; rename it"));
    }
    struct stat facts;
    if (fstatat(folder_, path.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return absl::OkStatus();
    if (S_ISDIR(facts.st_mode)) return Visit(path, depth + 1);
    if (S_ISREG(facts.st_mode) || (S_ISLNK(facts.st_mode) && LeadsToFile(path))) {
      files_.push_back(path);
    }
    if (static_cast<int64_t>(files_.size()) <= limits_.max_files) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("the folder holds more than ", limits_.max_files, " files"));
  }

  bool LeadsToFile(const std::string& path) const {
    const absl::StatusOr<Descriptor> file = OpenBeneath(folder_, path, O_PATH, path);
    struct stat facts;
    return file.ok() && fstat(file->get(), &facts) == 0 && S_ISREG(facts.st_mode);
  }

  const int folder_;
  const SourceLimits limits_;
  std::vector<std::string> files_;
};

}  // namespace

absl::StatusOr<std::string> FileTree::Read(const std::string& path, int64_t max_bytes) const {
  const absl::StatusOr<int64_t> size = Size(path);
  if (!size.ok()) return size.status();
  if (*size > max_bytes) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, "FILE_TOO_LARGE",
        absl::StrCat("'", path, "' has ", *size, " bytes; at most ", max_bytes, " are read"),
        {{"path", path}});
  }
  return ReadRange(path, 0, *size);
}

std::unique_ptr<FileTree> MakeMemoryTree(std::map<std::string, std::string> files) {
  return std::make_unique<MemoryTree>(std::move(files));
}

absl::StatusOr<std::unique_ptr<FileTree>> MakeFolderTree(int descriptor,
                                                         const SourceLimits& limits) {
  Descriptor folder(descriptor);
  Walk walk(folder.get(), limits);
  const absl::Status status = walk.Visit("", 1);
  if (!status.ok()) return status;
  return std::make_unique<DiskTree>(std::move(folder), walk.Take());
}

std::unique_ptr<FileTree> MakeOneFileTree(int parent, const std::string& name) {
  return std::make_unique<DiskTree>(Descriptor(parent), std::vector<std::string>{name});
}

}  // namespace switchyard::worker
