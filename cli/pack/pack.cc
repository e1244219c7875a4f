#include "cli/pack/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;

// libarchive translates names by the thread's locale: ours are UTF-8 whatever the user's is.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = uselocale(locale_);
  }
  ~Utf8Locale() {
    if (locale_ == nullptr) return;
    uselocale(before_);
    freelocale(locale_);
  }

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

// Where libarchive writes to: a file, hashed on the way.
struct Sink {
  std::ofstream file;
  Sha256 hash;
  int64_t size_bytes = 0;
};

la_ssize_t WriteToSink(archive*, void* sink_pointer, const void* data, size_t size) {
  Sink& sink = *static_cast<Sink*>(sink_pointer);
  const char* bytes = static_cast<const char*>(data);
  if (!sink.file.write(bytes, static_cast<std::streamsize>(size))) return -1;
  sink.hash.Update({bytes, size});
  sink.size_bytes += static_cast<int64_t>(size);
  return static_cast<la_ssize_t>(size);
}

absl::Status Refuse(const fs::path& path, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat(path.string(), " ", why));
}

// Relative names of all files, sorted as bytes.
absl::StatusOr<std::vector<std::string>> ListFiles(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const bool is_folder = it->is_directory(error);
    if (error) return Refuse(it->path(), "is a link to nothing");
    if (is_folder && it->is_symlink())
      return Refuse(it->path(), "is a link to a folder; put the folder there");
    if (is_folder) continue;
    if (!it->is_regular_file(error)) return Refuse(it->path(), "is no file");
    names.push_back(it->path().lexically_relative(folder).string());
  }
  if (error)
    return absl::NotFoundError(
        absl::StrCat("cannot read ", folder.string(), ": ", error.message()));
  if (names.empty()) return Refuse(folder, "holds no files");
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status ArchiveError(archive* writer, const std::string& name) {
  return absl::InternalError(absl::StrCat("packing ", name, ": ", archive_error_string(writer)));
}

absl::Status AddFile(archive* writer, const fs::path& path, const std::string& name) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return absl::NotFoundError(
        absl::StrCat("cannot open ", path.string(), ": ", std::strerror(errno)));
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            &archive_entry_free);
  const auto size = static_cast<int64_t>(fs::file_size(path));
  archive_entry_set_pathname_utf8(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), size);
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (archive_write_header(writer, entry.get()) != ARCHIVE_OK) return ArchiveError(writer, name);
  char buffer[64 << 10];
  int64_t written = 0;
  while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
    if (archive_write_data(writer, buffer, static_cast<size_t>(in.gcount())) != in.gcount()) {
      return absl::AbortedError(
          absl::StrCat(path.string(), " changed while it was packed; repeat"));
    }
    written += in.gcount();
  }
  if (written == size) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(path.string(), " changed while it was packed; repeat"));
}

absl::Status WriteTar(const fs::path& folder, const std::vector<std::string>& names, Sink* sink) {
  const Utf8Locale locale;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                       &archive_write_free);
  archive_write_set_format_pax_restricted(writer.get());
  if (archive_write_open(writer.get(), sink, nullptr, &WriteToSink, nullptr) != ARCHIVE_OK) {
    return ArchiveError(writer.get(), folder.string());
  }
  for (const std::string& name : names) {
    if (absl::Status status = AddFile(writer.get(), folder / name, name); !status.ok())
      return status;
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK)
    return ArchiveError(writer.get(), folder.string());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PackedFolder> PackFolder(const std::string& folder, const std::string& tar) {
  absl::StatusOr<std::vector<std::string>> names = ListFiles(folder);
  if (!names.ok()) return names.status();
  Sink sink{std::ofstream(tar, std::ios::binary | std::ios::trunc), {}, 0};
  if (absl::Status status = WriteTar(folder, *names, &sink); !status.ok()) return status;
  sink.file.close();
  if (!sink.file)
    return absl::ResourceExhaustedError(absl::StrCat("cannot write ", tar, ": is the disk full?"));
  return PackedFolder{sink.hash.FinishHex(), sink.size_bytes, names->size()};
}

absl::StatusOr<PackedFolder> HashFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return absl::NotFoundError(absl::StrCat("cannot open ", file, ": ", std::strerror(errno)));
  Sha256 hash;
  PackedFolder result{"", 0, 1};
  char buffer[64 << 10];
  while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
    hash.Update({buffer, static_cast<size_t>(in.gcount())});
    result.size_bytes += in.gcount();
  }
  result.sha256 = hash.FinishHex();
  return result;
}

}  // namespace switchyard::cli
