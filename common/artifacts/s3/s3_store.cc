#include "common/artifacts/s3/s3_store.h"

#include <algorithm>
#include <utility>

#include "common/artifacts/checked_reader.h"
#include "common/artifacts/s3/s3_layout.h"
#include "common/artifacts/s3/s3_objects.h"
#include "common/artifacts/s3/s3_publish.h"
#include "common/artifacts/s3/s3_uploads.h"
#include "common/artifacts/s3/s3_writer.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

constexpr int64_t kLeastReadBytes = 1 << 20;

// Read in ranges, so that a broken connection costs one range. Reading on, the ranges grow.
class S3Artifact final : public RawArtifact {
 public:
  S3Artifact(S3Client& client, S3Object object) : client_(client), object_(std::move(object)) {}

  int64_t size_bytes() const override { return object_.size_bytes; }
  std::string place() const override { return client_.NameOf(object_.key); }

  absl::StatusOr<std::string> ReadAt(int64_t offset, int64_t max_bytes) override {
    if (offset >= object_.size_bytes) return std::string();
    const int64_t end = begin_ + static_cast<int64_t>(ahead_.size());
    if (offset < begin_ || offset >= end) {
      const bool reads_on = offset == end && !ahead_.empty();
      window_ = reads_on ? std::min(window_ * 2, kS3PartBytes) : kLeastReadBytes;
      absl::StatusOr<std::string> data = GetObject(
          client_, object_.key, offset, std::max(window_, std::min(max_bytes, kS3PartBytes)));
      // It was longer when it was looked at: told as damage by who checks.
      if (absl::IsOutOfRange(data.status())) return std::string();
      if (!data.ok()) return data;
      ahead_ = *std::move(data);
      begin_ = offset;
    }
    return ahead_.substr(static_cast<size_t>(offset - begin_), static_cast<size_t>(max_bytes));
  }

  absl::StatusOr<std::string> ReadSums() override {
    const size_t slash = object_.key.rfind("sha256/");
    const std::string key = absl::StrCat(object_.key.substr(0, slash), "sums/",
                                         object_.key.substr(slash + sizeof("sha256/") - 1));
    const absl::StatusOr<S3Response> response = client_.Call({.key = key});
    if (!response.ok()) return response.status();
    return response->body;
  }

 private:
  S3Client& client_;
  const S3Object object_;
  std::string ahead_;
  int64_t begin_ = 0;
  int64_t window_ = kLeastReadBytes;
};

class S3Store final : public ArtifactStore {
 public:
  S3Store(S3ClientOptions options, const std::string& prefix)
      : client_(std::move(options)), layout_(prefix), uploads_(MakeS3Uploads(client_, layout_)) {}

  absl::Status Look() { return ListObjects(client_, layout_.Artifacts(), "", 1).status(); }

  absl::StatusOr<std::unique_ptr<ArtifactWriter>> Create(
      absl::string_view expected_sha256) override {
    return MakeS3Writer(client_, layout_, expected_sha256);
  }

  absl::StatusOr<std::unique_ptr<ArtifactReader>> Open(absl::string_view sha256,
                                                       ByteRange range) override {
    if (!IsSha256Hex(sha256)) {
      return InvalidField("sha256", "64 lower-case hex digits are expected");
    }
    absl::StatusOr<S3Object> object = HeadObject(client_, layout_.Artifact(sha256));
    if (absl::IsNotFound(object.status())) return NotFound("artifact", sha256);
    if (!object.ok()) return object.status();
    return MakeCheckedReader(std::make_unique<S3Artifact>(client_, *std::move(object)), sha256,
                             range);
  }

  absl::StatusOr<std::vector<StoredArtifact>> List(absl::string_view after,
                                                   int max_artifacts) override {
    std::vector<StoredArtifact> artifacts;
    std::string last = after.empty() ? "" : layout_.Artifact(after);
    while (static_cast<int>(artifacts.size()) < max_artifacts) {
      const int wanted = max_artifacts - static_cast<int>(artifacts.size());
      const auto page = ListObjects(client_, layout_.Artifacts(), last, wanted);
      if (!page.ok()) return page.status();
      if (page->empty()) break;
      for (const S3Object& object : *page) {
        const std::string sha256 = object.key.substr(layout_.Artifacts().size());
        if (IsSha256Hex(sha256)) artifacts.push_back({sha256, object.size_bytes, object.modified});
      }
      last = page->back().key;
    }
    return artifacts;
  }

  absl::Status Touch(absl::string_view sha256) override {
    if (absl::Status status = PutObject(client_, layout_.Touched(sha256), ""); !status.ok()) {
      return status;
    }
    return StayedAfterStoring(client_, layout_, sha256).status();
  }

  absl::StatusOr<bool> Remove(absl::string_view sha256, absl::Time stored_before) override {
    return RemoveFromBucket(client_, layout_, sha256, stored_before);
  }

  ArtifactUploads& uploads() override { return *uploads_; }

 private:
  S3Client client_;
  const S3Layout layout_;
  const std::unique_ptr<ArtifactUploads> uploads_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenS3Store(S3ClientOptions options,
                                                           const std::string& prefix) {
  auto store = std::make_unique<S3Store>(std::move(options), prefix);
  if (absl::Status status = store->Look(); !status.ok()) return status;
  return store;
}

}  // namespace switchyard
