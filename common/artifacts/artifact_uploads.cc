#include "common/artifacts/artifact_uploads.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

constexpr int64_t kPartBytes = int64_t{8} << 20;
constexpr int64_t kMostParts = 10'000;  // S3's own bound.
constexpr int64_t kMiB = 1 << 20;
constexpr size_t kMissingNamed = 8;

}  // namespace

int64_t PartBytesFor(int64_t size_bytes) {
  const int64_t least = (size_bytes + kMostParts - 1) / kMostParts;
  return std::max(kPartBytes, (least + kMiB - 1) / kMiB * kMiB);
}

absl::Status CheckUploadKey(const UploadKey& key) {
  if (!IsSha256Hex(key.sha256)) {
    return InvalidField("sha256", "64 lower-case hex digits are expected");
  }
  const bool good =
      !key.tenant.empty() && std::all_of(key.tenant.begin(), key.tenant.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
      });
  return good ? absl::OkStatus()
              : InvalidField("tenant", "letters, digits, `_` and `-` are expected");
}

absl::Status UploadNotFound(const UploadKey& key) {
  return MakeError(
      absl::StatusCode::kNotFound, "UPLOAD_NOT_FOUND",
      absl::StrCat("no upload of artifact ", key.sha256, " was begun, or it was dropped; begin it"),
      {{"sha256", key.sha256}});
}

absl::Status UploadDiffers(const UploadKey& key, int64_t begun_bytes, int64_t asked_bytes) {
  const std::string begun = absl::StrCat(begun_bytes), asked = absl::StrCat(asked_bytes);
  return MakeError(absl::StatusCode::kFailedPrecondition, "UPLOAD_DIFFERS",
                   absl::StrCat("an upload of artifact ", key.sha256, " was begun with ", begun,
                                " bytes, not ", asked, "; abandon it first if that was wrong"),
                   {{"sha256", key.sha256}, {"begun_bytes", begun}, {"asked_bytes", asked}});
}

absl::Status UploadBusy(const UploadKey& key) {
  return MakeError(absl::StatusCode::kAborted, "UPLOAD_BUSY",
                   absl::StrCat("another call works on the upload of artifact ", key.sha256,
                                "; repeat when it has ended"),
                   {{"sha256", key.sha256}});
}

absl::Status NoSuchPart(const Upload& upload, uint32_t part) {
  return InvalidField("part", absl::StrCat("must be 1 to ", upload.parts(), ", is ", part));
}

absl::Status WrongPartLength(uint32_t part, int64_t expected, int64_t got) {
  const std::string number = absl::StrCat(part), right = absl::StrCat(expected),
                    came = absl::StrCat(got);
  return MakeError(absl::StatusCode::kInvalidArgument, "PART_LENGTH",
                   absl::StrCat("part ", number, " must have ", right, " bytes; ", came,
                                got > expected ? " or more" : "", " came; send it whole"),
                   {{"part", number}, {"expected_bytes", right}, {"actual_bytes", came}});
}

absl::Status CheckAllStored(const Upload& upload) {
  const size_t missing = upload.parts() - upload.stored_parts.size();
  if (missing == 0) return absl::OkStatus();
  std::vector<uint32_t> named;
  for (uint32_t part = 1; part <= upload.parts() && named.size() < kMissingNamed; ++part) {
    if (!std::binary_search(upload.stored_parts.begin(), upload.stored_parts.end(), part)) {
      named.push_back(part);
    }
  }
  const std::string count = absl::StrCat(missing), all = absl::StrCat(upload.parts()),
                    numbers = absl::StrJoin(named, ", ");
  return MakeError(absl::StatusCode::kFailedPrecondition, "PARTS_MISSING",
                   absl::StrCat(count, " of ", all, " parts are missing (", numbers,
                                missing > named.size() ? " ..." : "", "); send them first"),
                   {{"missing", count}, {"parts", all}, {"first_missing", numbers}});
}

std::string DescribeUpload(const Upload& upload) {
  return absl::StrCat(upload.size_bytes, "\n", upload.part_bytes, "\n", upload.media_type, "\n");
}

absl::StatusOr<Upload> ReadUploadDescription(const UploadKey& key, absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  Upload upload;
  if (lines.size() != 4 || !absl::SimpleAtoi(lines[0], &upload.size_bytes) ||
      !absl::SimpleAtoi(lines[1], &upload.part_bytes) || upload.size_bytes <= 0 ||
      upload.part_bytes <= 0) {
    return MakeError(absl::StatusCode::kDataLoss, "UPLOAD_DAMAGED",
                     absl::StrCat("the upload of artifact ", key.sha256,
                                  " is damaged; abandon it and begin again"),
                     {{"sha256", key.sha256}});
  }
  upload.media_type = std::string(lines[2]);
  return upload;
}

}  // namespace switchyard
