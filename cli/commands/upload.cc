#include "cli/commands/upload.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/format/units.h"
#include "cli/pack/pack.h"
#include "common/hash/sha256.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;

// A file that is gone with this object.
class TemporaryFile {
 public:
  TemporaryFile()
      : path_(
            (fs::temp_directory_path() / absl::StrCat("switchyard.", getpid(), ".tar")).string()) {}
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

absl::StatusOr<v1::Artifact> Send(Session& session, const std::string& what,
                                  const std::string& file, const PackedFolder& packed,
                                  const std::string& media_type) {
  const auto show = [&](int64_t sent) {
    if (!session.terminal || session.json) return;
    const double share = packed.size_bytes > 0
                             ? static_cast<double>(sent) / static_cast<double>(packed.size_bytes)
                             : 1;
    session.out << "\r\033[K" << ProgressBar(share, 30) << "  upload " << what << std::flush;
  };
  absl::StatusOr<v1::Artifact> artifact =
      session.client().PutArtifact(file, packed.sha256, media_type, show);
  if (session.json) return artifact;
  if (session.terminal) session.out << "\r\033[K";
  if (artifact.ok()) {
    session.out << "uploaded " << what << " (" << packed.files << " files, "
                << BytesText(packed.size_bytes) << ") as " << packed.sha256 << "\n";
  }
  return artifact;
}

}  // namespace

absl::StatusOr<v1::Artifact> Upload(Session& session, const std::string& path,
                                    const std::string& media_type) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    const TemporaryFile tar;
    absl::StatusOr<PackedFolder> packed = PackFolder(path, tar.path());
    if (!packed.ok()) return packed.status();
    return Send(session, path, tar.path(), *packed, "application/x-tar");
  }
  if (!fs::is_regular_file(path, error)) {
    return absl::NotFoundError(absl::StrCat("there is no file or folder ", path));
  }
  absl::StatusOr<PackedFolder> hashed = HashFile(path);
  if (!hashed.ok()) return hashed.status();
  return Send(session, path, path, *hashed, media_type);
}

absl::StatusOr<v1::Source> MakeSource(Session& session, const std::string& text, bool by_path,
                                      v1::Source::Format format) {
  v1::Source source;
  source.set_format(format);
  if (by_path) {
    source.set_path(fs::absolute(text).lexically_normal().string());
    return source;
  }
  std::error_code error;
  if (!fs::exists(text, error)) {
    if (!IsSha256Hex(text)) {
      return absl::NotFoundError(
          absl::StrCat("there is no file or folder ", text,
                       " here; --by-path sends the name for the worker to open"));
    }
    source.set_artifact(text);
    return source;
  }
  absl::StatusOr<v1::Artifact> artifact = Upload(session, text, "application/octet-stream");
  if (!artifact.ok()) return artifact.status();
  source.set_artifact(artifact->sha256());
  return source;
}

absl::StatusOr<v1::Source::Format> ParseFormat(const std::string& text) {
  if (text.empty()) return v1::Source::FORMAT_UNSPECIFIED;
  v1::Source::Format format;
  if (v1::Source::Format_Parse(absl::AsciiStrToUpper(text), &format)) return format;
  return absl::InvalidArgumentError(
      absl::StrCat("--format: \"", text, "\" is unknown: image_folder or sigmf"));
}

}  // namespace switchyard::cli
