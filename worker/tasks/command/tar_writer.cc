#include "worker/tasks/command/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/artifacts/file_io.h"

namespace switchyard::worker {
namespace {

constexpr uint64_t kBlockBytes = 1 << 20;
constexpr int kMode = 0600;

}  // namespace

struct TarWriter::Sink {
  ArtifactWriter& out;
  absl::Status status;

  static ssize_t Write(archive* archive, void* self, const void* data, size_t length) {
    Sink* const sink = static_cast<Sink*>(self);
    sink->status = sink->out.Append(absl::string_view(static_cast<const char*>(data), length));
    if (sink->status.ok()) return static_cast<ssize_t>(length);
    archive_set_error(archive, EIO, "the artifact store refused the bytes");
    return -1;
  }
};

TarWriter::TarWriter(ArtifactWriter& out)
    : sink_(new Sink{out, absl::OkStatus()}), archive_(archive_write_new()) {
  archive_write_set_format_pax_restricted(archive_);
  archive_write_open(archive_, sink_.get(), nullptr, &Sink::Write, nullptr);
}

TarWriter::~TarWriter() { archive_write_free(archive_); }

absl::Status TarWriter::Error(absl::string_view what) const {
  if (!sink_->status.ok()) return sink_->status;
  const char* why = archive_error_string(archive_);
  return absl::InternalError(absl::StrCat(what, ": ", why != nullptr ? why : "libarchive failed"));
}

absl::Status TarWriter::Add(const std::string& path, int fd, uint64_t size_bytes,
                            const std::function<bool()>& cancelled) {
  archive_entry* const entry = archive_entry_new();
  archive_entry_set_pathname_utf8(entry, path.c_str());
  archive_entry_set_size(entry, static_cast<int64_t>(size_bytes));
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, kMode);
  const int written = archive_write_header(archive_, entry);
  archive_entry_free(entry);
  if (written < ARCHIVE_WARN) return Error(path);
  for (uint64_t left = size_bytes; left != 0;) {
    if (cancelled()) return absl::CancelledError("the attempt was cancelled");
    const absl::StatusOr<std::string> block =
        ReadSome(fd, static_cast<int64_t>(std::min(left, kBlockBytes)), path);
    if (!block.ok()) return block.status();
    if (block->empty())
      return absl::UnavailableError(absl::StrCat("'", path, "' became shorter while it was read"));
    if (archive_write_data(archive_, block->data(), block->size()) < 0) return Error(path);
    left -= block->size();
  }
  return absl::OkStatus();
}

absl::Status TarWriter::Finish() {
  return archive_write_close(archive_) == ARCHIVE_OK ? absl::OkStatus() : Error("closing a tar");
}

}  // namespace switchyard::worker
