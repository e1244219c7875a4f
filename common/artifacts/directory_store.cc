// The store in a folder. A temporary file is locked by its writer for as long as the writer lives,
// so whoever opens the store can tell a dead writer's file (the lock is free) from a live one's, in
// whatever process or container it is.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/artifacts/artifact_store.h"
#include "common/artifacts/file_io.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

std::string FolderOf(const std::string& directory, absl::string_view sha256) {
  return absl::StrCat(directory, "/", sha256.substr(0, 2));
}

absl::Status MakeFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    return FileError(errno, "make the folder", folder);
  }
  return absl::OkStatus();
}

class DirectoryWriter final : public ArtifactWriter {
 public:
  DirectoryWriter(std::string directory, std::string path, UniqueFd fd)
      : directory_(std::move(directory)), path_(std::move(path)), fd_(std::move(fd)) {}

  ~DirectoryWriter() override {
    if (!published_) unlink(path_.c_str());
  }

  absl::Status Append(absl::string_view data) override {
    if (!status_.ok()) return status_;
    status_ = WriteFully(fd_.get(), data, directory_);
    hash_.Update(data);
    size_bytes_ += static_cast<int64_t>(data.size());
    return status_;
  }

  absl::StatusOr<ArtifactInfo> Finish(absl::string_view expected_sha256) override {
    if (!status_.ok()) return status_;
    const ArtifactInfo info{hash_.FinishHex(), size_bytes_};
    status_ = absl::FailedPreconditionError("this artifact is finished");
    if (!expected_sha256.empty() && expected_sha256 != info.sha256) {
      return MakeError(absl::StatusCode::kInvalidArgument, "HASH_MISMATCH",
                       absl::StrCat("the ", info.size_bytes, " bytes that came have SHA-256 ",
                                    info.sha256, ", not ", expected_sha256, "; nothing was kept"),
                       {{"actual", info.sha256}, {"expected", expected_sha256}});
    }
    if (absl::Status status = Publish(info.sha256); !status.ok()) return status;
    return info;
  }

 private:
  // What is there already is replaced by the same bytes: that also heals a damaged file.
  absl::Status Publish(const std::string& sha256) {
    if (fdatasync(fd_.get()) != 0) return FileError(errno, "sync a file in", directory_);
    const std::string folder = FolderOf(directory_, sha256);
    if (absl::Status status = MakeFolder(folder); !status.ok()) return status;
    const std::string target = absl::StrCat(folder, "/", sha256.substr(2));
    if (std::rename(path_.c_str(), target.c_str()) != 0) return FileError(errno, "make", target);
    published_ = true;
    if (absl::Status status = SyncFolder(folder); !status.ok()) return status;
    return SyncFolder(directory_);
  }

  const std::string directory_;
  const std::string path_;
  const UniqueFd fd_;
  Sha256 hash_;
  int64_t size_bytes_ = 0;
  bool published_ = false;
  absl::Status status_;
};

class DirectoryReader final : public ArtifactReader {
 public:
  DirectoryReader(std::string sha256, std::string path, UniqueFd fd, int64_t size_bytes)
      : sha256_(std::move(sha256)),
        path_(std::move(path)),
        fd_(std::move(fd)),
        size_bytes_(size_bytes) {}

  int64_t size_bytes() const override { return size_bytes_; }

  // The hash is checked with the last bytes, before they are given out.
  absl::StatusOr<std::string> Read(int64_t max_bytes) override {
    if (checked_) return check_.ok() ? absl::StatusOr<std::string>("") : check_;
    absl::StatusOr<std::string> data = ReadSome(fd_.get(), max_bytes, path_);
    if (!data.ok()) return data;
    hash_.Update(*data);
    read_bytes_ += static_cast<int64_t>(data->size());
    if (read_bytes_ < size_bytes_ && !data->empty()) return data;
    checked_ = true;
    const std::string actual = hash_.FinishHex();
    if (actual == sha256_) return data;
    check_ = MakeError(absl::StatusCode::kDataLoss, "ARTIFACT_DAMAGED",
                       absl::StrCat("artifact ", sha256_, " is damaged: ", path_, " has SHA-256 ",
                                    actual, "; store it again to repair it"),
                       {{"sha256", sha256_}, {"actual", actual}, {"path", path_}});
    return check_;
  }

 private:
  const std::string sha256_;
  const std::string path_;
  const UniqueFd fd_;
  const int64_t size_bytes_;
  Sha256 hash_;
  int64_t read_bytes_ = 0;
  bool checked_ = false;
  absl::Status check_;
};

class DirectoryStore final : public ArtifactStore {
 public:
  explicit DirectoryStore(std::string directory) : directory_(std::move(directory)) {}

  absl::Status Prepare() {
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    if (error) return FileError(error.value(), "make the folder", directory_);
    if (absl::Status status = MakeFolder(TemporaryFolder()); !status.ok()) return status;
    return RemoveLeftovers();
  }

  absl::StatusOr<std::unique_ptr<ArtifactWriter>> Create() override {
    for (;;) {
      const std::string path = absl::StrCat(TemporaryFolder(), "/", getpid(), ".", next_++);
      UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
      if (!fd.valid() && errno == EEXIST) continue;  // Of a dead process with our id.
      if (!fd.valid()) return FileError(errno, "make", path);
      // Between open and flock somebody may have taken it for a leftover; then its last link is
      // gone.
      struct stat info {};
      if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || fstat(fd.get(), &info) != 0 ||
          info.st_nlink == 0) {
        continue;
      }
      return std::make_unique<DirectoryWriter>(directory_, path, std::move(fd));
    }
  }

  absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(absl::string_view sha256) override {
    if (!IsSha256Hex(sha256))
      return InvalidField("sha256", "64 lower-case hex digits are expected");
    const std::string path = absl::StrCat(FolderOf(directory_, sha256), "/", sha256.substr(2));
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid() && errno == ENOENT) return NotFound("artifact", sha256);
    struct stat info {};
    if (!fd.valid() || fstat(fd.get(), &info) != 0) return FileError(errno, "open", path);
    return std::make_unique<DirectoryReader>(std::string(sha256), path, std::move(fd),
                                             info.st_size);
  }

 private:
  std::string TemporaryFolder() const { return directory_ + "/tmp"; }

  absl::Status RemoveLeftovers() {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(TemporaryFolder(), error)) {
      const UniqueFd fd(open(entry.path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
      if (fd.valid() && flock(fd.get(), LOCK_EX | LOCK_NB) == 0) unlink(entry.path().c_str());
    }
    return error ? FileError(error.value(), "read the folder", TemporaryFolder())
                 : absl::OkStatus();
  }

  const std::string directory_;
  std::atomic<uint64_t> next_{0};
};

}  // namespace

absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenDirectoryStore(const std::string& directory) {
  auto store = std::make_unique<DirectoryStore>(directory);
  if (absl::Status status = store->Prepare(); !status.ok()) return status;
  return store;
}

}  // namespace switchyard
