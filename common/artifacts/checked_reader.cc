#include "common/artifacts/checked_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/artifacts/block_sums.h"
#include "common/hash/crc32c.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

constexpr int64_t kChunkBytes = 1 << 20;

absl::Status Damaged(absl::string_view sha256, const RawArtifact& raw, absl::string_view how) {
  return MakeError(absl::StatusCode::kDataLoss, "ARTIFACT_DAMAGED",
                   absl::StrCat("artifact ", sha256, " is damaged: ", raw.place(), " ", how,
                                "; store it again to repair it"),
                   {{"sha256", sha256}, {"place", raw.place()}, {"how", how}});
}

// The whole, checked by its hash with the last bytes, before they are given out.
class WholeReader final : public ArtifactReader {
 public:
  WholeReader(std::unique_ptr<RawArtifact> raw, absl::string_view sha256)
      : raw_(std::move(raw)), sha256_(sha256) {}

  int64_t size_bytes() const override { return raw_->size_bytes(); }
  int64_t offset() const override { return 0; }
  int64_t range_bytes() const override { return raw_->size_bytes(); }

  absl::StatusOr<std::string> Read(int64_t max_bytes) override {
    if (checked_) return check_.ok() ? absl::StatusOr<std::string>("") : check_;
    absl::StatusOr<std::string> data = raw_->ReadAt(read_bytes_, max_bytes);
    if (!data.ok()) return data;
    hash_.Update(*data);
    read_bytes_ += static_cast<int64_t>(data->size());
    if (read_bytes_ < raw_->size_bytes() && !data->empty()) return data;
    checked_ = true;
    const std::string actual = hash_.FinishHex();
    if (actual == sha256_) return data;
    check_ = Damaged(sha256_, *raw_, absl::StrCat("has SHA-256 ", actual));
    return check_;
  }

 private:
  const std::unique_ptr<RawArtifact> raw_;
  const std::string sha256_;
  Sha256 hash_;
  int64_t read_bytes_ = 0;
  bool checked_ = false;
  absl::Status check_;
};

// A range, block by block. REQUIRES: 0 <= offset, 0 < length, both inside.
class RangeReader final : public ArtifactReader {
 public:
  RangeReader(std::unique_ptr<RawArtifact> raw, absl::string_view sha256, int64_t offset,
              int64_t length, std::optional<std::vector<uint32_t>> sums)
      : raw_(std::move(raw)),
        sha256_(sha256),
        offset_(offset),
        length_(length),
        sums_(std::move(sums)) {}

  int64_t size_bytes() const override { return raw_->size_bytes(); }
  int64_t offset() const override { return offset_; }
  int64_t range_bytes() const override { return length_; }

  absl::StatusOr<std::string> Read(int64_t max_bytes) override {
    if (given_ == length_) return std::string();
    const int64_t position = offset_ + given_;
    if (position < block_begin_ || position >= block_begin_ + BlockSize()) {
      if (absl::Status status = Load(position / kBlockBytes); !status.ok()) return status;
    }
    const int64_t within = position - block_begin_;
    const int64_t size = std::min({max_bytes, length_ - given_, BlockSize() - within});
    given_ += size;
    return block_.substr(static_cast<size_t>(within), static_cast<size_t>(size));
  }

 private:
  int64_t BlockSize() const { return static_cast<int64_t>(block_.size()); }

  absl::Status Load(int64_t index) {
    block_begin_ = index * kBlockBytes;
    block_.clear();
    const int64_t size = std::min(kBlockBytes, raw_->size_bytes() - block_begin_);
    while (BlockSize() < size) {
      absl::StatusOr<std::string> data =
          raw_->ReadAt(block_begin_ + BlockSize(), size - BlockSize());
      if (!data.ok()) return data.status();
      if (data->empty()) return Damaged(sha256_, *raw_, "is cut short");
      block_ += *data;
    }
    const bool good = sums_.has_value()
                          ? (*sums_)[static_cast<size_t>(index)] == Crc32c(0, block_)
                          : raw_->size_bytes() > kBlockBytes || Sha256Hex(block_) == sha256_;
    if (good) return absl::OkStatus();
    block_.clear();
    return Damaged(sha256_, *raw_, absl::StrCat("differs in its block ", index, " of 1 MiB"));
  }

  const std::unique_ptr<RawArtifact> raw_;
  const std::string sha256_;
  const int64_t offset_;
  const int64_t length_;
  // None: of one block, checked by its hash; or the whole was checked before.
  const std::optional<std::vector<uint32_t>> sums_;
  std::string block_;
  int64_t block_begin_ = 0;
  int64_t given_ = 0;
};

absl::Status CheckWhole(RawArtifact& raw, absl::string_view sha256) {
  Sha256 hash;
  for (int64_t at = 0; at < raw.size_bytes();) {
    const absl::StatusOr<std::string> data = raw.ReadAt(at, kChunkBytes);
    if (!data.ok()) return data.status();
    if (data->empty()) return Damaged(sha256, raw, "is cut short");
    hash.Update(*data);
    at += static_cast<int64_t>(data->size());
  }
  const std::string actual = hash.FinishHex();
  return actual == sha256 ? absl::OkStatus()
                          : Damaged(sha256, raw, absl::StrCat("has SHA-256 ", actual));
}

absl::Status NotSatisfiable(absl::string_view sha256, int64_t offset, int64_t size_bytes) {
  const std::string first = absl::StrCat(offset), size = absl::StrCat(size_bytes);
  return MakeError(absl::StatusCode::kOutOfRange, "RANGE_NOT_SATISFIABLE",
                   absl::StrCat("artifact ", sha256, " has ", size, " bytes; none is at ", first),
                   {{"sha256", sha256}, {"size_bytes", size}, {"offset_bytes", first}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<ArtifactReader>> MakeCheckedReader(std::unique_ptr<RawArtifact> raw,
                                                                  absl::string_view sha256,
                                                                  ByteRange range) {
  const int64_t size = raw->size_bytes();
  if (range.length < 0) return InvalidField("length_bytes", "must not be negative");
  const int64_t offset = range.offset >= 0      ? range.offset
                         : range.offset < -size ? 0
                                                : size + range.offset;
  if (offset > 0 && offset >= size) return NotSatisfiable(sha256, offset, size);
  const int64_t rest = size - offset;
  const int64_t length = range.length == 0 ? rest : std::min(range.length, rest);
  if (length == size) return std::make_unique<WholeReader>(std::move(raw), sha256);
  std::optional<std::vector<uint32_t>> sums;
  if (size > kBlockBytes) {
    const absl::StatusOr<std::string> stored = raw->ReadSums();
    if (!stored.ok() && !absl::IsNotFound(stored.status())) return stored.status();
    if (stored.ok()) sums = ReadBlockSums(*stored, size);
    if (!sums.has_value()) {
      if (absl::Status status = CheckWhole(*raw, sha256); !status.ok()) return status;
    }
  }
  return std::make_unique<RangeReader>(std::move(raw), sha256, offset, length, std::move(sums));
}

}  // namespace switchyard
