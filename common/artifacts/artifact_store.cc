#include "common/artifacts/artifact_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/artifacts/file_io.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

constexpr int64_t kChunkBytes = 1 << 20;

absl::Status CopyTo(ArtifactReader& reader, int fd, const std::string& path) {
  for (;;) {
    absl::StatusOr<std::string> chunk = reader.Read(kChunkBytes);
    if (!chunk.ok()) return chunk.status();
    if (chunk->empty()) return absl::OkStatus();
    if (absl::Status status = WriteFully(fd, *chunk, path); !status.ok()) return status;
  }
}

}  // namespace

absl::Status CheckHash(const ArtifactInfo& info, absl::string_view expected_sha256) {
  if (expected_sha256.empty() || expected_sha256 == info.sha256) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "HASH_MISMATCH",
                   absl::StrCat("the ", info.size_bytes, " bytes that came have SHA-256 ",
                                info.sha256, ", not ", expected_sha256, "; nothing was kept"),
                   {{"actual", info.sha256}, {"expected", expected_sha256}});
}

absl::StatusOr<ArtifactInfo> PutBytes(ArtifactStore& store, absl::string_view bytes) {
  absl::StatusOr<std::unique_ptr<ArtifactWriter>> writer = store.Create(Sha256Hex(bytes));
  if (!writer.ok()) return writer.status();
  if (absl::Status status = (*writer)->Append(bytes); !status.ok()) return status;
  return (*writer)->Finish("");
}

absl::StatusOr<std::string> GetBytes(ArtifactStore& store, absl::string_view sha256,
                                     int64_t max_bytes) {
  absl::StatusOr<std::unique_ptr<ArtifactReader>> reader = store.Open(sha256);
  if (!reader.ok()) return reader.status();
  const std::string size = absl::StrCat((*reader)->size_bytes()), most = absl::StrCat(max_bytes);
  if ((*reader)->size_bytes() > max_bytes) {
    return MakeError(absl::StatusCode::kResourceExhausted, "ARTIFACT_TOO_LARGE",
                     absl::StrCat("artifact ", sha256, " has ", size, " bytes; at most ", most,
                                  " are read here"),
                     {{"sha256", sha256}, {"size_bytes", size}, {"max_bytes", most}});
  }
  std::string bytes;
  for (;;) {
    absl::StatusOr<std::string> chunk = (*reader)->Read(kChunkBytes);
    if (!chunk.ok()) return chunk.status();
    if (chunk->empty()) return bytes;
    bytes += *chunk;
  }
}

absl::Status FetchToFile(ArtifactStore& store, absl::string_view sha256, const std::string& path) {
  absl::StatusOr<std::unique_ptr<ArtifactReader>> reader = store.Open(sha256);
  if (!reader.ok()) return reader.status();
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!fd.valid()) return FileError(errno, "make the file", path);
  const absl::Status status = CopyTo(**reader, fd.get(), path);
  if (!status.ok()) unlink(path.c_str());
  return status;
}

absl::StatusOr<ArtifactInfo> PutFile(ArtifactStore& store, const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return FileError(errno, "open", path);
  absl::StatusOr<std::unique_ptr<ArtifactWriter>> writer = store.Create();
  if (!writer.ok()) return writer.status();
  for (;;) {
    absl::StatusOr<std::string> chunk = ReadSome(fd.get(), kChunkBytes, path);
    if (!chunk.ok()) return chunk.status();
    if (chunk->empty()) return (*writer)->Finish("");
    if (absl::Status status = (*writer)->Append(*chunk); !status.ok()) return status;
  }
}

}  // namespace switchyard
