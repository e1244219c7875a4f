#include "worker/tasks/source/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status/error.h"
#include "worker/tasks/source/beneath.h"

namespace switchyard::worker {
namespace {

using Reader = std::unique_ptr<archive, int (*)(archive*)>;
constexpr size_t kBlockBytes = 64 << 10;
constexpr size_t kMostPathBytes = 1024;

absl::Status Bad(absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_ARCHIVE",
                   absl::StrCat("the archive cannot be used: ", why));
}

absl::Status BadEntry(absl::string_view name, absl::string_view why) {
  return Bad(absl::StrCat("entry '", absl::CHexEscape(name.substr(0, 200)), "' ", why));
}

Reader MakeReader() {
  Reader reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_zip(reader.get());
  archive_read_support_filter_gzip(reader.get());
  return reader;
}

// The entry's path without `.` parts, or why it is refused.
absl::StatusOr<std::string> CheckPath(absl::string_view raw, int max_depth) {
  if (raw.empty() || raw.size() > kMostPathBytes) return BadEntry(raw, "has no usable name");
  if (!simdjson::validate_utf8(raw.data(), raw.size()))
    return BadEntry(raw, "has a name not in UTF-8");
  if (raw[0] == '/') return BadEntry(raw, "has an absolute path");
  std::vector<std::string> parts;
  for (const absl::string_view part : absl::StrSplit(raw, '/', absl::SkipEmpty())) {
    if (part == "..") return BadEntry(raw, "leads upwards by '..'");
    if (part != ".") parts.emplace_back(part);
  }
  if (static_cast<int>(parts.size()) > max_depth) return BadEntry(raw, "is nested too deep");
  return absl::StrJoin(parts, "/");
}

absl::Status CheckType(archive_entry* entry, absl::string_view name) {
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr) {
    return BadEntry(name, "is a link; pack the files themselves");
  }
  const auto type = archive_entry_filetype(entry);
  if (type == AE_IFREG || type == AE_IFDIR) return absl::OkStatus();
  return BadEntry(name, "is neither a file nor a folder");
}

// Where unpacked files go.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual absl::Status Begin(const std::string& path) = 0;
  virtual absl::Status Append(absl::string_view bytes) = 0;
};

class MemorySink final : public Sink {
 public:
  absl::Status Begin(const std::string& path) override {
    const auto [at, fresh] = files.emplace(path, "");
    current_ = &at->second;
    return fresh ? absl::OkStatus() : BadEntry(path, "stands twice");
  }
  absl::Status Append(absl::string_view bytes) override {
    current_->append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  std::map<std::string, std::string> files;

 private:
  std::string* current_ = nullptr;
};

class FolderSink final : public Sink {
 public:
  explicit FolderSink(Descriptor folder) : folder_(std::move(folder)) {}
  absl::Status Begin(const std::string& path) override {
    for (size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      // Nothing in here is a link, as none is ever unpacked.
      if (mkdirat(folder_.get(), path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST) {
        return WriteError(path);
      }
    }
    absl::StatusOr<Descriptor> file =
        OpenBeneath(folder_.get(), path, O_WRONLY | O_CREAT | O_EXCL, path, 0600);
    if (!file.ok()) return Annotate(file.status(), "unpacking the archive");
    path_ = path;
    file_ = *std::move(file);
    return absl::OkStatus();
  }
  absl::Status Append(absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = write(file_.get(), bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return WriteError(path_);
      bytes.remove_prefix(static_cast<size_t>(done));
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status WriteError(const std::string& path) {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    return MakeError(full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal,
                     full ? "DISK_FULL" : "WRITE_FAILED",
                     absl::StrCat("unpacking '", path, "': ", std::strerror(errno)));
  }
  Descriptor folder_;
  Descriptor file_;
  std::string path_;
};

// One pass over an open archive.
class Unpacking {
 public:
  Unpacking(archive* reader, const SourceLimits& limits, Sink& sink,
            const std::function<bool()>& cancelled)
      : reader_(reader), limits_(limits), sink_(sink), cancelled_(cancelled) {}

  absl::Status Run() {
    archive_entry* entry = nullptr;
    while (true) {
      const int code = archive_read_next_header(reader_, &entry);
      if (code == ARCHIVE_EOF) return absl::OkStatus();
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return Damaged();
      const absl::Status status = Take(entry);
      if (!status.ok()) return status;
    }
  }

 private:
  absl::Status Damaged() const {
    const char* text = archive_error_string(reader_);
    return Bad(text == nullptr ? "it is damaged" : text);
  }

  absl::Status Take(archive_entry* entry) {
    // The plain accessor fails on names beyond ASCII in the C locale.
    const char* utf8 = archive_entry_pathname_utf8(entry);
    const char* raw = utf8 != nullptr ? utf8 : archive_entry_pathname(entry);
    const absl::string_view name = raw == nullptr ? "" : raw;
    const absl::StatusOr<std::string> path = CheckPath(name, limits_.max_depth);
    if (!path.ok()) return path.status();
    absl::Status status = CheckType(entry, name);
    if (!status.ok()) return status;
    if (++entries_ > limits_.max_files) {
      return Bad(absl::StrCat("it holds more than ", limits_.max_files, " entries"));
    }
    if (archive_entry_filetype(entry) == AE_IFDIR) return absl::OkStatus();
    if (path->empty()) return BadEntry(name, "has no usable name");
    status = sink_.Begin(*path);
    return status.ok() ? CopyContent() : status;
  }

  absl::Status CopyContent() {
    std::vector<char> block(kBlockBytes);
    while (true) {
      if (cancelled_()) return absl::CancelledError("cancelled while unpacking");
      const la_ssize_t got = archive_read_data(reader_, block.data(), block.size());
      if (got < 0) return Damaged();
      if (got == 0) return absl::OkStatus();
      bytes_ += got;
      if (bytes_ > limits_.max_bytes) {
        return Bad(absl::StrCat("it unpacks to more than ", limits_.max_bytes, " bytes"));
      }
      const absl::Status status = sink_.Append({block.data(), static_cast<size_t>(got)});
      if (!status.ok()) return status;
    }
  }

  archive* const reader_;
  const SourceLimits& limits_;
  Sink& sink_;
  const std::function<bool()>& cancelled_;
  int64_t entries_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

bool LooksLikeArchive(absl::string_view bytes) {
  const bool zip = absl::StartsWith(bytes, "PK\x03\x04") || absl::StartsWith(bytes, "PK\x05\x06");
  const bool gzip = absl::StartsWith(bytes, "\x1f\x8b");
  const bool tar = bytes.size() >= 262 && bytes.substr(257, 5) == "ustar";
  return zip || gzip || tar;
}

absl::Status UnpackArchive(const std::string& archive_path, const std::string& directory,
                           const SourceLimits& limits, const std::function<bool()>& cancelled) {
  const int folder = open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return absl::InternalError(absl::StrCat(directory, ": ", std::strerror(errno)));
  FolderSink sink{Descriptor(folder)};
  const Reader reader = MakeReader();
  if (archive_read_open_filename(reader.get(), archive_path.c_str(), kBlockBytes) != ARCHIVE_OK) {
    const char* text = archive_error_string(reader.get());
    return Bad(text == nullptr ? "it cannot be opened" : text);
  }
  return Unpacking(reader.get(), limits, sink, cancelled).Run();
}

absl::StatusOr<std::map<std::string, std::string>> ReadArchive(absl::string_view bytes,
                                                               const SourceLimits& limits) {
  const std::function<bool()> never = [] { return false; };
  MemorySink sink;
  const Reader reader = MakeReader();
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return Bad("it is neither tar nor zip");
  }
  const absl::Status status = Unpacking(reader.get(), limits, sink, never).Run();
  if (!status.ok()) return status;
  return std::move(sink.files);
}

}  // namespace switchyard::worker
