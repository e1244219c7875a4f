#include "common/artifacts/s3/s3_writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/artifacts/block_sums.h"
#include "common/artifacts/s3/s3_objects.h"
#include "common/artifacts/s3/s3_publish.h"
#include "common/hash/sha256.h"

namespace switchyard {
namespace {

constexpr int kMostStores = 3;

class S3Writer final : public ArtifactWriter {
 public:
  S3Writer(S3Client& client, const S3Layout& layout, absl::string_view expected)
      : client_(client), layout_(layout), expected_(expected) {}

  ~S3Writer() override {
    // What stays is swept.
    for (const std::string& key : temporaries_) DeleteObject(client_, key).IgnoreError();
  }

  absl::Status Append(absl::string_view data) override {
    while (status_.ok() && !data.empty()) {
      const size_t taken = std::min(data.size(), static_cast<size_t>(kS3PartBytes) - part_.size());
      part_.append(data.data(), taken);
      Count(data.substr(0, taken));
      data.remove_prefix(taken);
      // The last part is sent by Finish: it is known then that it is the last.
      if (!data.empty()) status_ = SendPart();
    }
    return status_;
  }

  absl::StatusOr<ArtifactInfo> Finish(absl::string_view expected_sha256) override {
    if (!status_.ok()) return status_;
    const ArtifactInfo info{hash_.FinishHex(), size_bytes_};
    status_ = absl::FailedPreconditionError("this artifact is finished");
    for (const absl::string_view expected : {absl::string_view(expected_), expected_sha256}) {
      if (absl::Status status = CheckHash(info, expected); !status.ok()) return status;
    }
    const absl::Status status = in_parts_ ? PublishParts(info) : PublishOne(info);
    if (!status.ok()) return status;
    return info;
  }

 private:
  void Count(absl::string_view data) {
    hash_.Update(data);
    sums_.Update(data);
    size_bytes_ += static_cast<int64_t>(data.size());
  }

  absl::Status SendPart() {
    in_parts_ = true;
    absl::Status status = expected_.empty() ? PutTemporary() : PutInPlace();
    part_.clear();
    return status;
  }

  // The hash is known: what comes has its place already, and is seen there at the end only.
  absl::Status PutInPlace() {
    if (multipart_ == nullptr) {
      absl::StatusOr<std::unique_ptr<S3Multipart>> begun =
          S3Multipart::Begin(client_, layout_.Artifact(expected_));
      if (!begun.ok()) return begun.status();
      multipart_ = *std::move(begun);
    }
    return multipart_->Put(part_);
  }

  absl::Status PutTemporary() {
    return PutObject(client_, temporaries_.emplace_back(layout_.Temporary()), part_);
  }

  absl::Status PutSums(const ArtifactInfo& info) {
    if (info.size_bytes <= kBlockBytes) return absl::OkStatus();
    return PutObject(client_, layout_.Sums(info.sha256), sums_.Finish());
  }

  absl::Status PublishOne(const ArtifactInfo& info) {
    if (absl::Status status = PutSums(info); !status.ok()) return status;
    for (int stores = 1;; ++stores) {
      absl::Status status = PutObject(client_, layout_.Artifact(info.sha256), part_);
      if (!status.ok()) return status;
      if (stores == kMostStores) return RequireStayed(client_, layout_, info.sha256);
      const absl::StatusOr<bool> stayed = StayedAfterStoring(client_, layout_, info.sha256);
      if (!stayed.ok() || *stayed) return stayed.status();
    }
  }

  absl::Status PublishParts(const ArtifactInfo& info) {
    if (absl::Status status = SendPart(); !status.ok()) return status;
    if (absl::Status status = PutSums(info); !status.ok()) return status;
    const absl::Status status =
        multipart_ != nullptr ? multipart_->Complete()
                              : JoinObjects(client_, temporaries_, layout_.Artifact(info.sha256));
    return status.ok() ? RequireStayed(client_, layout_, info.sha256) : status;
  }

  S3Client& client_;
  const S3Layout& layout_;
  const std::string expected_;
  std::string part_;
  bool in_parts_ = false;
  std::unique_ptr<S3Multipart> multipart_;
  std::vector<std::string> temporaries_;
  Sha256 hash_;
  BlockSums sums_;
  int64_t size_bytes_ = 0;
  absl::Status status_;
};

}  // namespace

std::unique_ptr<ArtifactWriter> MakeS3Writer(S3Client& client, const S3Layout& layout,
                                             absl::string_view expected_sha256) {
  return std::make_unique<S3Writer>(client, layout, expected_sha256);
}

}  // namespace switchyard
