#include "cli/client/artifact_transfer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "common/rpc/status.h"

namespace switchyard::cli {
namespace {

constexpr size_t kPieceBytes = 512 << 10;
// What is at most one part goes in one stream.
constexpr int64_t kWholeBytes = int64_t{8} << 20;
constexpr int kMostAttempts = 8;  // Without any progress between them: some 40 s.
constexpr absl::Duration kFirstPause = absl::Milliseconds(250);
constexpr absl::Duration kMostPause = absl::Seconds(10);

// Calls `take` with pieces of the file from `offset` on, `length` bytes in all. False: `take` was
// not willing, or the file ended.
template <typename Take>
bool ReadPieces(std::ifstream& in, int64_t offset, int64_t length, const Take& take) {
  in.seekg(offset);
  std::string piece(kPieceBytes, '\0');
  while (length > 0) {
    const auto wanted = std::min<int64_t>(length, static_cast<int64_t>(piece.size()));
    in.read(piece.data(), static_cast<std::streamsize>(wanted));
    if (in.gcount() <= 0 || !take(piece.data(), static_cast<size_t>(in.gcount()))) return false;
    length -= in.gcount();
  }
  return true;
}

int64_t LengthOf(const v1::ArtifactUpload& upload, uint32_t part) {
  const int64_t begin = (int64_t{part} - 1) * upload.part_bytes();
  return std::min(upload.part_bytes(), upload.size_bytes() - begin);
}

}  // namespace

bool ArtifactTransfer::PauseBefore(int attempt, const absl::Status& status) {
  const bool may_pass = absl::IsUnavailable(status) || absl::IsAborted(status);
  if (!may_pass || attempt >= kMostAttempts) return false;
  sleep_(std::min(kMostPause, kFirstPause * (int64_t{1} << attempt)));
  return true;
}

absl::StatusOr<v1::Artifact> ArtifactTransfer::Put(
    const std::string& file, const std::string& sha256, const std::string& media_type,
    const std::function<void(int64_t)>& on_progress) {
  std::error_code error;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(file, error));
  if (error) return absl::NotFoundError(absl::StrCat("cannot open ", file));
  v1::BeginUploadRequest begin;
  begin.set_sha256(sha256);
  begin.set_size_bytes(size);
  begin.set_media_type(media_type);
  for (int attempt = 0;; ++attempt) {
    bool stored = false;
    absl::StatusOr<v1::Artifact> artifact = size <= kWholeBytes
                                                ? PutWhole(file, sha256, media_type, on_progress)
                                                : PutParts(file, begin, on_progress, &stored);
    if (stored) attempt = 0;
    if (artifact.ok() || !PauseBefore(attempt, artifact.status())) return artifact;
  }
}

absl::StatusOr<v1::Artifact> ArtifactTransfer::PutWhole(
    const std::string& file, const std::string& sha256, const std::string& media_type,
    const std::function<void(int64_t)>& on_progress) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot open ", file));
  grpc::ClientContext context;
  prepare_(context);
  v1::Artifact artifact;
  const auto stream = stub_.PutArtifact(&context, &artifact);
  v1::PutArtifactRequest request;
  request.set_sha256(sha256);
  request.set_media_type(media_type);
  int64_t sent = 0;
  bool open = stream->Write(request);  // Finish says why not.
  request.Clear();
  if (open) {
    ReadPieces(in, 0, kWholeBytes, [&](const char* data, size_t size) {
      request.set_data(data, size);
      open = stream->Write(request);
      sent += static_cast<int64_t>(size);
      if (open && on_progress) on_progress(sent);
      return open;
    });
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return FromGrpc(status);
  return artifact;
}

absl::StatusOr<v1::Artifact> ArtifactTransfer::PutParts(
    const std::string& file, const v1::BeginUploadRequest& begin,
    const std::function<void(int64_t)>& on_progress, bool* stored) {
  v1::ArtifactUpload upload;
  grpc::ClientContext context;
  prepare_(context);
  const grpc::Status begun = stub_.BeginUpload(&context, begin, &upload);
  if (!begun.ok()) return FromGrpc(begun);
  if (upload.has_artifact()) return upload.artifact();
  const std::set<uint32_t> there(upload.stored_parts().begin(), upload.stored_parts().end());
  int64_t sent = 0;
  for (const uint32_t part : there) sent += LengthOf(upload, part);
  for (uint32_t part = 1; part <= upload.parts(); ++part) {
    if (there.count(part) != 0) continue;
    if (absl::Status status = PutPart(file, upload, part); !status.ok()) return status;
    *stored = true;
    sent += LengthOf(upload, part);
    if (on_progress) on_progress(sent);
  }
  v1::CompleteUploadRequest request;
  request.set_sha256(begin.sha256());
  v1::Artifact artifact;
  grpc::ClientContext completing;
  prepare_(completing);
  const grpc::Status completed = stub_.CompleteUpload(&completing, request, &artifact);
  if (!completed.ok()) return FromGrpc(completed);
  return artifact;
}

absl::Status ArtifactTransfer::PutPart(const std::string& file, const v1::ArtifactUpload& upload,
                                       uint32_t part) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot open ", file));
  grpc::ClientContext context;
  prepare_(context);
  v1::ArtifactPart answer;
  const auto stream = stub_.PutPart(&context, &answer);
  v1::PutPartRequest request;
  request.set_sha256(upload.sha256());
  request.set_part(part);
  ReadPieces(in, (int64_t{part} - 1) * upload.part_bytes(), LengthOf(upload, part),
             [&](const char* data, size_t size) {
               request.set_data(data, size);
               const bool open = stream->Write(request);  // Finish says why not.
               request.Clear();
               return open;
             });
  stream->WritesDone();
  return FromGrpc(stream->Finish());
}

absl::Status ArtifactTransfer::Get(
    const std::string& sha256,
    const std::function<absl::Status(const v1::GetArtifactResponse&)>& on_piece) {
  v1::GetArtifactRequest request;
  request.set_sha256(sha256);
  Sha256 hash;
  for (int attempt = 0;; ++attempt) {
    grpc::ClientContext context;
    prepare_(context);
    const auto stream = stub_.GetArtifact(&context, request);
    v1::GetArtifactResponse piece;
    while (stream->Read(&piece)) {
      if (absl::Status status = on_piece(piece); !status.ok()) {
        context.TryCancel();
        stream->Finish().ok();
        return status;
      }
      hash.Update(piece.data());
      request.set_offset_bytes(request.offset_bytes() + static_cast<int64_t>(piece.data().size()));
      attempt = 0;
    }
    const absl::Status status = FromGrpc(stream->Finish());
    // The last byte had come, and only the end was lost: nothing is behind it.
    const bool all = absl::IsOutOfRange(status) && request.offset_bytes() > 0;
    if (status.ok() || all) break;
    if (!PauseBefore(attempt, status)) return status;
  }
  if (hash.FinishHex() == sha256) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("what came is not artifact ", sha256, "; fetch it again"));
}

}  // namespace switchyard::cli
