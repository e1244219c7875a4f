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
#include "common/artifacts/artifact_uploads.h"
#include "common/artifacts/block_sums.h"
#include "common/artifacts/checked_reader.h"
#include "common/artifacts/directory_layout.h"
#include "common/artifacts/directory_uploads.h"
#include "common/artifacts/file_io.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

class DirectoryWriter final : public ArtifactWriter {
 public:
  DirectoryWriter(std::string directory, std::string path, UniqueFd fd, absl::string_view expected)
      : directory_(std::move(directory)),
        path_(std::move(path)),
        fd_(std::move(fd)),
        expected_(expected) {}

  ~DirectoryWriter() override {
    if (!published_) unlink(path_.c_str());
  }

  absl::Status Append(absl::string_view data) override {
    if (!status_.ok()) return status_;
    status_ = WriteFully(fd_.get(), data, directory_);
    hash_.Update(data);
    sums_.Update(data);
    size_bytes_ += static_cast<int64_t>(data.size());
    return status_;
  }

  absl::StatusOr<ArtifactInfo> Finish(absl::string_view expected_sha256) override {
    if (!status_.ok()) return status_;
    const ArtifactInfo info{hash_.FinishHex(), size_bytes_};
    status_ = absl::FailedPreconditionError("this artifact is finished");
    for (const absl::string_view expected : {absl::string_view(expected_), expected_sha256}) {
      if (absl::Status status = CheckHash(info, expected); !status.ok()) return status;
    }
    const std::string sums = size_bytes_ > kBlockBytes ? sums_.Finish() : "";
    absl::Status status = PublishFile(directory_, path_, fd_.get(), info.sha256, sums);
    if (!status.ok()) return status;
    published_ = true;
    return info;
  }

 private:
  const std::string directory_;
  const std::string path_;
  const UniqueFd fd_;
  const std::string expected_;
  Sha256 hash_;
  BlockSums sums_;
  int64_t size_bytes_ = 0;
  bool published_ = false;
  absl::Status status_;
};

class DirectoryArtifact final : public RawArtifact {
 public:
  DirectoryArtifact(std::string path, std::string sums_path, UniqueFd fd, int64_t size_bytes)
      : path_(std::move(path)),
        sums_path_(std::move(sums_path)),
        fd_(std::move(fd)),
        size_bytes_(size_bytes) {}

  int64_t size_bytes() const override { return size_bytes_; }
  std::string place() const override { return path_; }

  absl::StatusOr<std::string> ReadAt(int64_t offset, int64_t max_bytes) override {
    if (position_ != offset && lseek(fd_.get(), offset, SEEK_SET) < 0) {
      return FileError(errno, "seek in", path_);
    }
    absl::StatusOr<std::string> data = ReadSome(fd_.get(), max_bytes, path_);
    if (data.ok()) position_ = offset + static_cast<int64_t>(data->size());
    return data;
  }

  absl::StatusOr<std::string> ReadSums() override {
    const UniqueFd fd(open(sums_path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info {};
    if (!fd.valid() || fstat(fd.get(), &info) != 0) return FileError(errno, "open", sums_path_);
    return ReadSome(fd.get(), info.st_size + 1, sums_path_);
  }

 private:
  const std::string path_;
  const std::string sums_path_;
  const UniqueFd fd_;
  const int64_t size_bytes_;
  int64_t position_ = 0;
};

class DirectoryStore final : public ArtifactStore {
 public:
  explicit DirectoryStore(std::string directory) : directory_(std::move(directory)) {}

  absl::Status Prepare() {
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    if (error) return FileError(error.value(), "make the folder", directory_);
    if (absl::Status status = MakeFolder(TemporaryFolder()); !status.ok()) return status;
    absl::StatusOr<std::unique_ptr<ArtifactUploads>> uploads = OpenDirectoryUploads(directory_);
    if (!uploads.ok()) return uploads.status();
    uploads_ = *std::move(uploads);
    return RemoveLeftovers();
  }

  absl::StatusOr<std::unique_ptr<ArtifactWriter>> Create(
      absl::string_view expected_sha256) override {
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
      return std::make_unique<DirectoryWriter>(directory_, path, std::move(fd), expected_sha256);
    }
  }

  absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(absl::string_view sha256,
                                                       ByteRange range) override {
    if (!IsSha256Hex(sha256))
      return InvalidField("sha256", "64 lower-case hex digits are expected");
    const std::string path = PathOf(directory_, sha256);
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid() && errno == ENOENT) return NotFound("artifact", sha256);
    struct stat info {};
    if (!fd.valid() || fstat(fd.get(), &info) != 0) return FileError(errno, "open", path);
    return MakeCheckedReader(std::make_unique<DirectoryArtifact>(
                                 path, SumsPathOf(directory_, sha256), std::move(fd), info.st_size),
                             sha256, range);
  }

  absl::StatusOr<std::vector<StoredArtifact>> List(absl::string_view after,
                                                   int max_artifacts) override {
    std::vector<StoredArtifact> artifacts;
    const int first = after.empty() ? 0 : std::stoi(std::string(after.substr(0, 2)), nullptr, 16);
    for (int shard = first; shard < 256 && Size(artifacts) < max_artifacts; ++shard) {
      absl::Status status =
          ListShard(absl::StrCat(absl::Hex(shard, absl::kZeroPad2)), after, &artifacts);
      if (!status.ok()) return status;
    }
    if (Size(artifacts) > max_artifacts) artifacts.resize(static_cast<size_t>(max_artifacts));
    return artifacts;
  }

  absl::Status Touch(absl::string_view sha256) override {
    const absl::StatusOr<UniqueFd> lock = LockFolder(ShardOf(directory_, sha256), LOCK_SH);
    if (absl::IsNotFound(lock.status())) return absl::OkStatus();
    if (!lock.ok()) return lock.status();
    const std::string path = PathOf(directory_, sha256);
    const auto times = TimesOfNow();
    if (utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0 && errno != ENOENT) {
      return FileError(errno, "set the time of", path);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Remove(absl::string_view sha256, absl::Time stored_before) override {
    const std::string folder = ShardOf(directory_, sha256), path = PathOf(directory_, sha256);
    const absl::StatusOr<UniqueFd> lock = LockFolder(folder, LOCK_EX);
    if (absl::IsNotFound(lock.status())) return false;
    if (!lock.ok()) return lock.status();
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      return errno == ENOENT ? absl::StatusOr<bool>(false) : FileError(errno, "look at", path);
    }
    if (absl::TimeFromTimespec(info.st_mtim) >= stored_before) return false;
    if (unlink(path.c_str()) != 0) return FileError(errno, "remove", path);
    unlink(SumsPathOf(directory_, sha256).c_str());
    return true;
  }

  ArtifactUploads& uploads() override { return *uploads_; }

 private:
  std::string TemporaryFolder() const { return directory_ + "/tmp"; }
  static int Size(const std::vector<StoredArtifact>& artifacts) {
    return static_cast<int>(artifacts.size());
  }

  absl::Status ListShard(const std::string& shard, absl::string_view after,
                         std::vector<StoredArtifact>* artifacts) const {
    const size_t before = artifacts->size();
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(absl::StrCat(directory_, "/", shard), error)) {
      const std::string sha256 = shard + entry.path().filename().string();
      struct stat info {};
      if (!IsSha256Hex(sha256) || sha256 <= after || stat(entry.path().c_str(), &info) != 0) {
        continue;
      }
      artifacts->push_back({sha256, info.st_size, absl::TimeFromTimespec(info.st_mtim)});
    }
    if (error && error.value() != ENOENT) {
      return FileError(error.value(), "read the folder", shard);
    }
    std::sort(artifacts->begin() + static_cast<ptrdiff_t>(before), artifacts->end(),
              [](const auto& a, const auto& b) { return a.sha256 < b.sha256; });
    return absl::OkStatus();
  }

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
  std::unique_ptr<ArtifactUploads> uploads_;
  std::atomic<uint64_t> next_{0};
};

}  // namespace

absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenDirectoryStore(const std::string& directory) {
  auto store = std::make_unique<DirectoryStore>(directory);
  if (absl::Status status = store->Prepare(); !status.ok()) return status;
  return store;
}

}  // namespace switchyard
