#include "common/artifacts/s3/s3_uploads.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/artifacts/block_sums.h"
#include "common/artifacts/s3/s3_objects.h"
#include "common/artifacts/s3/s3_publish.h"
#include "common/hash/sha256.h"

namespace switchyard {
namespace {

constexpr int kPage = 1000;

class S3PartWriter final : public PartWriter {
 public:
  S3PartWriter(S3Client& client, std::string key, uint32_t part, int64_t length)
      : client_(client), key_(std::move(key)), part_(part), length_(length) {}

  absl::Status Append(absl::string_view data) override {
    bytes_.append(data.data(), data.size());
    const int64_t size = static_cast<int64_t>(bytes_.size());
    return size <= length_ ? absl::OkStatus() : WrongPartLength(part_, length_, size);
  }

  absl::Status Finish() override {
    const int64_t size = static_cast<int64_t>(bytes_.size());
    if (size != length_) return WrongPartLength(part_, length_, size);
    return PutObject(client_, key_, bytes_);
  }

 private:
  S3Client& client_;
  const std::string key_;
  const uint32_t part_;
  const int64_t length_;
  std::string bytes_;
};

class S3Uploads final : public ArtifactUploads {
 public:
  S3Uploads(S3Client& client, const S3Layout& layout) : client_(client), layout_(layout) {}

  absl::StatusOr<Upload> Begin(const UploadKey& key, int64_t size_bytes,
                               absl::string_view media_type) override {
    absl::StatusOr<Upload> there = Find(key);
    if (absl::IsNotFound(there.status())) {
      const Upload upload{.size_bytes = size_bytes,
                          .part_bytes = PartBytesFor(size_bytes),
                          .media_type = std::string(media_type)};
      absl::Status status = PutObject(client_, layout_.About(key), DescribeUpload(upload));
      if (!status.ok()) return status;
      there = Find(key);
    }
    if (there.ok() && there->size_bytes != size_bytes) {
      return UploadDiffers(key, there->size_bytes, size_bytes);
    }
    return there;
  }

  absl::StatusOr<Upload> Find(const UploadKey& key) override {
    absl::StatusOr<Upload> upload = FindAbout(key);
    if (!upload.ok()) return upload;
    const auto parts = StoredParts(key, *upload);
    if (!parts.ok()) return parts.status();
    for (const auto& [part, object] : *parts) upload->stored_parts.push_back(part);
    return upload;
  }

  absl::StatusOr<std::unique_ptr<PartWriter>> CreatePart(const UploadKey& key,
                                                         uint32_t part) override {
    const absl::StatusOr<Upload> upload = FindAbout(key);
    if (!upload.ok()) return upload.status();
    if (part < 1 || part > upload->parts()) return NoSuchPart(*upload, part);
    return std::make_unique<S3PartWriter>(client_, layout_.Part(key, part), part,
                                          upload->LengthOf(part));
  }

  absl::StatusOr<ArtifactInfo> Complete(const UploadKey& key) override {
    absl::StatusOr<Upload> upload = FindAbout(key);
    if (!upload.ok()) return upload.status();
    const auto parts = StoredParts(key, *upload);
    if (!parts.ok()) return parts.status();
    for (const auto& [part, object] : *parts) upload->stored_parts.push_back(part);
    if (absl::Status status = CheckAllStored(*upload); !status.ok()) return status;
    const absl::StatusOr<ArtifactInfo> info = Join(key, *parts);
    // An upload with another hash is of no use: nobody knows which part is wrong.
    if (info.ok() || absl::IsInvalidArgument(info.status())) {
      if (absl::Status status = Drop(key); !status.ok() && info.ok()) return status;
    }
    return info;
  }

  absl::Status Drop(const UploadKey& key) override {
    if (absl::Status status = CheckUploadKey(key); !status.ok()) return status;
    return DeleteAll(layout_.Upload(key));
  }

  absl::StatusOr<int> RemoveAbandoned(absl::Time before) override {
    // Uploads are as old as their newest object.
    std::map<std::string, absl::Time> newest;
    absl::Status status = ForEach(layout_.Uploads(), [&](const S3Object& object) {
      absl::Time& time =
          newest.emplace(object.key.substr(0, object.key.rfind('/') + 1), absl::InfinitePast())
              .first->second;
      time = std::max(time, object.modified);
      return absl::OkStatus();
    });
    int removed = 0;
    for (auto upload = newest.begin(); status.ok() && upload != newest.end(); ++upload) {
      if (upload->second >= before) continue;
      status = DeleteAll(upload->first);
      ++removed;
    }
    if (!status.ok()) return status;
    status = ForEach(layout_.Temporaries(), [&](const S3Object& object) {
      if (object.modified >= before) return absl::OkStatus();
      ++removed;
      return DeleteObject(client_, object.key);
    });
    if (!status.ok()) return status;
    const absl::StatusOr<int> aborted = AbortMultipartsBefore(client_, layout_.prefix(), before);
    if (!aborted.ok()) return aborted.status();
    return removed + *aborted;
  }

 private:
  using Parts = std::map<uint32_t, S3Object>;

  absl::StatusOr<Upload> FindAbout(const UploadKey& key) {
    if (absl::Status status = CheckUploadKey(key); !status.ok()) return status;
    const absl::StatusOr<S3Response> about = client_.Call({.key = layout_.About(key)});
    if (absl::IsNotFound(about.status())) return UploadNotFound(key);
    if (!about.ok()) return about.status();
    return ReadUploadDescription(key, about->body);
  }

  absl::StatusOr<Parts> StoredParts(const UploadKey& key, const Upload& upload) {
    Parts parts;
    const size_t folder = layout_.Upload(key).size();
    absl::Status status = ForEach(layout_.Upload(key), [&](const S3Object& object) {
      uint32_t part = 0;
      const std::string name = object.key.substr(folder, object.key.find('.', folder) - folder);
      if (absl::SimpleAtoi(name, &part) && part >= 1 && part <= upload.parts() &&
          object.size_bytes == upload.LengthOf(part)) {
        parts[part] = object;  // They come by name.
      }
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    return parts;
  }

  absl::StatusOr<ArtifactInfo> Join(const UploadKey& key, const Parts& parts) {
    absl::StatusOr<std::unique_ptr<S3Multipart>> whole =
        S3Multipart::Begin(client_, layout_.Artifact(key.sha256));
    if (!whole.ok()) return whole.status();
    Sha256 hash;
    BlockSums sums;
    ArtifactInfo info;
    for (const auto& [part, object] : parts) {
      absl::StatusOr<std::string> bytes = GetObject(client_, object.key, 0, object.size_bytes);
      absl::Status status = bytes.status();
      if (status.ok()) status = (*whole)->Copy(object.key);
      if (absl::IsNotFound(status)) return UploadBusy(key);  // Somebody dropped it.
      if (!status.ok()) return status;
      hash.Update(*bytes);
      sums.Update(*bytes);
      info.size_bytes += static_cast<int64_t>(bytes->size());
    }
    info.sha256 = hash.FinishHex();
    if (absl::Status status = CheckHash(info, key.sha256); !status.ok()) return status;
    if (info.size_bytes > kBlockBytes) {
      absl::Status status = PutObject(client_, layout_.Sums(key.sha256), sums.Finish());
      if (!status.ok()) return status;
    }
    if (absl::Status status = (*whole)->Complete(); !status.ok()) return status;
    if (absl::Status status = RequireStayed(client_, layout_, key.sha256); !status.ok())
      return status;
    return info;
  }

  template <typename Take>
  absl::Status ForEach(const std::string& prefix, const Take& take) {
    for (std::string last;;) {
      const auto page = ListObjects(client_, prefix, last, kPage);
      if (!page.ok()) return page.status();
      for (const S3Object& object : *page) {
        if (absl::Status status = take(object); !status.ok()) return status;
      }
      if (page->empty()) return absl::OkStatus();
      last = page->back().key;
    }
  }

  absl::Status DeleteAll(const std::string& prefix) {
    return ForEach(prefix,
                   [&](const S3Object& object) { return DeleteObject(client_, object.key); });
  }

  S3Client& client_;
  const S3Layout& layout_;
};

}  // namespace

std::unique_ptr<ArtifactUploads> MakeS3Uploads(S3Client& client, const S3Layout& layout) {
  return std::make_unique<S3Uploads>(client, layout);
}

}  // namespace switchyard
