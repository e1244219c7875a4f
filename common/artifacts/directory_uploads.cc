#include "common/artifacts/directory_uploads.h"

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
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/artifacts/block_sums.h"
#include "common/artifacts/directory_layout.h"
#include "common/artifacts/file_io.h"
#include "common/hash/sha256.h"

namespace switchyard {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kChunkBytes = 1 << 20;
constexpr int64_t kMostAboutBytes = 4096;

std::string AboutIn(const std::string& folder) { return folder + "/about"; }
std::string DataIn(const std::string& folder) { return folder + "/data"; }
std::string MarkIn(const std::string& folder, uint32_t part) {
  return absl::StrCat(folder, "/", part);
}

absl::Time ModifiedAt(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return absl::InfiniteFuture();
  return absl::TimeFromTimespec(info.st_mtim);
}

// `data` with its lock taken. NOT_FOUND when there is none (any more).
absl::StatusOr<UniqueFd> LockData(const UploadKey& key, const std::string& folder, int operation) {
  const std::string path = DataIn(folder);
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid() && errno == ENOENT) return UploadNotFound(key);
  if (!fd.valid()) return FileError(errno, "open", path);
  if (flock(fd.get(), operation | LOCK_NB) != 0) return UploadBusy(key);
  // Between open and flock it may have become an artifact, which nobody may write to.
  struct stat ours {};
  struct stat there {};
  if (fstat(fd.get(), &ours) != 0 || stat(path.c_str(), &there) != 0 ||
      ours.st_ino != there.st_ino) {
    return UploadNotFound(key);
  }
  return fd;
}

class DirectoryPartWriter final : public PartWriter {
 public:
  DirectoryPartWriter(std::string folder, UniqueFd data, uint32_t part, int64_t length)
      : folder_(std::move(folder)), data_(std::move(data)), part_(part), length_(length) {}

  absl::Status Append(absl::string_view data) override {
    if (written_ + static_cast<int64_t>(data.size()) > length_) {
      return WrongPartLength(part_, length_, written_ + static_cast<int64_t>(data.size()));
    }
    written_ += static_cast<int64_t>(data.size());
    return WriteFully(data_.get(), data, DataIn(folder_));
  }

  absl::Status Finish() override {
    if (written_ != length_) return WrongPartLength(part_, length_, written_);
    if (fdatasync(data_.get()) != 0) return FileError(errno, "sync", DataIn(folder_));
    const std::string mark = MarkIn(folder_, part_);
    const UniqueFd fd(open(mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
    if (!fd.valid()) return FileError(errno, "make", mark);
    return SyncFolder(folder_);
  }

 private:
  const std::string folder_;
  const UniqueFd data_;
  const uint32_t part_;
  const int64_t length_;
  int64_t written_ = 0;
};

class DirectoryUploads final : public ArtifactUploads {
 public:
  explicit DirectoryUploads(std::string directory)
      : directory_(std::move(directory)), root_(directory_ + "/uploads") {}

  absl::Status Prepare() { return MakeFolder(root_); }

  absl::StatusOr<Upload> Begin(const UploadKey& key, int64_t size_bytes,
                               absl::string_view media_type) override {
    if (absl::Status status = CheckUploadKey(key); !status.ok()) return status;
    absl::StatusOr<Upload> there = Find(key);
    if (absl::IsNotFound(there.status())) {
      if (absl::Status status = Make(key, size_bytes, media_type); !status.ok()) return status;
      there = Find(key);
    }
    if (there.ok() && there->size_bytes != size_bytes) {
      return UploadDiffers(key, there->size_bytes, size_bytes);
    }
    return there;
  }

  absl::StatusOr<Upload> Find(const UploadKey& key) override {
    if (absl::Status status = CheckUploadKey(key); !status.ok()) return status;
    const std::string about = AboutIn(FolderOf(key));
    const UniqueFd fd(open(about.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid() && errno == ENOENT) return UploadNotFound(key);
    if (!fd.valid()) return FileError(errno, "open", about);
    const absl::StatusOr<std::string> text = ReadSome(fd.get(), kMostAboutBytes, about);
    if (!text.ok()) return text.status();
    absl::StatusOr<Upload> upload = ReadUploadDescription(key, *text);
    if (!upload.ok()) return upload;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(FolderOf(key), error)) {
      uint32_t part = 0;
      if (!absl::SimpleAtoi(entry.path().filename().string(), &part)) continue;
      if (part >= 1 && part <= upload->parts()) upload->stored_parts.push_back(part);
    }
    if (error) return FileError(error.value(), "read the folder", FolderOf(key));
    std::sort(upload->stored_parts.begin(), upload->stored_parts.end());
    return upload;
  }

  absl::StatusOr<std::unique_ptr<PartWriter>> CreatePart(const UploadKey& key,
                                                         uint32_t part) override {
    const absl::StatusOr<Upload> upload = Find(key);
    if (!upload.ok()) return upload.status();
    if (part < 1 || part > upload->parts()) return NoSuchPart(*upload, part);
    const std::string folder = FolderOf(key);
    absl::StatusOr<UniqueFd> data = LockData(key, folder, LOCK_SH);
    if (!data.ok()) return data.status();
    // Until it is whole again it is not there.
    const std::string mark = MarkIn(folder, part);
    if (unlink(mark.c_str()) != 0 && errno != ENOENT) return FileError(errno, "remove", mark);
    if (lseek(data->get(), (part - 1) * upload->part_bytes, SEEK_SET) < 0) {
      return FileError(errno, "seek in", DataIn(folder));
    }
    return std::make_unique<DirectoryPartWriter>(folder, *std::move(data), part,
                                                 upload->LengthOf(part));
  }

  absl::StatusOr<ArtifactInfo> Complete(const UploadKey& key) override {
    absl::StatusOr<Upload> upload = Find(key);
    if (!upload.ok()) return upload.status();
    const std::string folder = FolderOf(key);
    const absl::StatusOr<UniqueFd> data = LockData(key, folder, LOCK_EX);
    if (!data.ok()) return data.status();
    // As it is now that nobody writes.
    upload = Find(key);
    if (!upload.ok()) return upload.status();
    if (absl::Status status = CheckAllStored(*upload); !status.ok()) return status;
    std::string sums;
    const absl::StatusOr<ArtifactInfo> info = Hash(data->get(), DataIn(folder), &sums);
    if (!info.ok()) return info.status();
    absl::Status status = CheckHash(*info, key.sha256);
    if (status.ok()) {
      status = PublishFile(directory_, DataIn(folder), data->get(), key.sha256, sums);
      if (!status.ok()) return status;
    }
    // An upload with another hash is of no use: nobody knows which part is wrong.
    Remove(folder);
    if (!status.ok()) return status;
    return info;
  }

  absl::Status Drop(const UploadKey& key) override {
    if (absl::Status status = CheckUploadKey(key); !status.ok()) return status;
    const std::string folder = FolderOf(key);
    const absl::StatusOr<UniqueFd> data = LockData(key, folder, LOCK_EX);
    if (absl::IsNotFound(data.status())) return absl::OkStatus();
    if (!data.ok()) return data.status();
    Remove(folder);
    return absl::OkStatus();
  }

  absl::StatusOr<int> RemoveAbandoned(absl::Time before) override {
    int removed = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_, error)) {
      const std::string folder = entry.path().string();
      // A part's bytes show in `data`, its end in the folder.
      if (ModifiedAt(folder) >= before) continue;
      const UniqueFd data(open(DataIn(folder).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
      if (data.valid() &&
          (flock(data.get(), LOCK_EX | LOCK_NB) != 0 || ModifiedAt(DataIn(folder)) >= before)) {
        continue;
      }
      Remove(folder);
      ++removed;
    }
    if (error) return FileError(error.value(), "read the folder", root_);
    return removed;
  }

 private:
  std::string FolderOf(const UploadKey& key) const {
    return absl::StrCat(root_, "/", key.tenant, ".", key.sha256);
  }

  // Made beside and renamed, so that it is there with all it needs. Losing a race is fine.
  absl::Status Make(const UploadKey& key, int64_t size_bytes, absl::string_view media_type) {
    const Upload upload{.size_bytes = size_bytes,
                        .part_bytes = PartBytesFor(size_bytes),
                        .media_type = std::string(media_type)};
    const std::string folder = FolderOf(key);
    const std::string made = absl::StrCat(folder, ".", getpid(), ".", next_++);
    absl::Status status = Fill(made, upload);
    if (status.ok() && std::rename(made.c_str(), folder.c_str()) != 0 && errno != ENOTEMPTY &&
        errno != EEXIST) {
      status = FileError(errno, "make", folder);
    }
    Remove(made);
    return status.ok() ? SyncFolder(root_) : status;
  }

  static absl::Status Fill(const std::string& folder, const Upload& upload) {
    if (absl::Status status = MakeFolder(folder); !status.ok()) return status;
    const std::string path = DataIn(folder);
    const UniqueFd data(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (!data.valid() || ftruncate(data.get(), upload.size_bytes) != 0) {
      return FileError(errno, "make", path);
    }
    absl::Status status = ReplaceFile(AboutIn(folder), DescribeUpload(upload));
    return status.ok() ? SyncFolder(folder) : status;
  }

  static absl::StatusOr<ArtifactInfo> Hash(int fd, const std::string& path, std::string* sums) {
    Sha256 hash;
    BlockSums blocks;
    ArtifactInfo info;
    if (lseek(fd, 0, SEEK_SET) < 0) return FileError(errno, "seek in", path);
    for (;;) {
      const absl::StatusOr<std::string> data = ReadSome(fd, kChunkBytes, path);
      if (!data.ok()) return data.status();
      if (data->empty()) break;
      hash.Update(*data);
      blocks.Update(*data);
      info.size_bytes += static_cast<int64_t>(data->size());
    }
    info.sha256 = hash.FinishHex();
    if (info.size_bytes > kBlockBytes) *sums = blocks.Finish();
    return info;
  }

  static void Remove(const std::string& folder) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }

  const std::string directory_;
  const std::string root_;
  std::atomic<uint64_t> next_{0};
};

}  // namespace

absl::StatusOr<std::unique_ptr<ArtifactUploads>> OpenDirectoryUploads(
    const std::string& directory) {
  auto uploads = std::make_unique<DirectoryUploads>(directory);
  if (absl::Status status = uploads->Prepare(); !status.ok()) return status;
  return uploads;
}

}  // namespace switchyard
