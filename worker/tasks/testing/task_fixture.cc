#include "worker/tasks/testing/task_fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <png.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

namespace fs = std::filesystem;

mode_t TypeOf(char type) {
  switch (type) {
    case 'l':
      return AE_IFLNK;
    case 'd':
      return AE_IFDIR;
    case 'c':
      return AE_IFCHR;
    case 'p':
      return AE_IFIFO;
    default:
      return AE_IFREG;
  }
}

void AddEntry(archive* writer, const TarEntry& entry) {
  archive_entry* header = archive_entry_new();
  archive_entry_set_pathname(header, entry.path.c_str());
  archive_entry_set_filetype(header, TypeOf(entry.type));
  archive_entry_set_perm(header, 0644);
  archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
  if (entry.type == 'l') archive_entry_set_symlink(header, entry.target.c_str());
  if (entry.type == 'h') archive_entry_set_hardlink(header, entry.target.c_str());
  archive_write_header(writer, header);
  archive_write_data(writer, entry.content.data(), entry.content.size());
  archive_entry_free(header);
}

}  // namespace

TaskTest::TaskTest() {
  scratch_ = (fs::temp_directory_path() / "switchyard-task-XXXXXX").string();
  if (mkdtemp(scratch_.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
  root_ = scratch_ + "/root";
  fs::create_directories(root_);
  store_ = *OpenDirectoryStore(scratch_ + "/artifacts");
}

TaskTest::~TaskTest() { fs::remove_all(scratch_); }

void TaskTest::WriteFile(const std::string& path, const std::string& bytes) const {
  const fs::path full = fs::path(root_) / path;
  fs::create_directories(full.parent_path());
  std::ofstream(full, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::unique_ptr<FakeAttemptContext> TaskTest::MakeContext() {
  const std::string work = absl::StrCat(scratch_, "/work", ++contexts_);
  fs::create_directories(work);
  return std::make_unique<FakeAttemptContext>(*store_, work, std::vector<std::string>{root_});
}

std::string TaskTest::Put(const std::string& bytes) { return PutBytes(*store_, bytes)->sha256; }

std::string PatternPng(int kind, int variant, int size) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const int along = kind == 0 ? x : kind == 1 ? y : x + y;
      pixels.push_back(
          static_cast<uint8_t>(along / 3 % 2 * 180 + (x * 7 + y * 13 + variant * 31) % 60));
    }
  }
  png_image png;
  std::memset(&png, 0, sizeof(png));
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(size);
  png.height = static_cast<png_uint_32>(size);
  png.format = PNG_FORMAT_GRAY;
  png_alloc_size_t length = 0;
  png_image_write_to_memory(&png, nullptr, &length, 0, pixels.data(), 0, nullptr);
  std::string bytes(length, '\0');
  png_image_write_to_memory(&png, bytes.data(), &length, 0, pixels.data(), 0, nullptr);
  return bytes;
}

std::string SigmfMetadataText(const std::string& label) {
  return absl::StrCat(R"({"global": {"core:datatype": "cf32_le", "core:version": "1.0.0"},
    "captures": [{"core:sample_start": 0}],
    "annotations": [{"core:sample_start": 0, "core:label": ")",
                      label, "\"}]}");
}

std::string ToneSamples(double frequency, int count, int variant) {
  std::string bytes(static_cast<size_t>(count) * 8, '\0');
  for (int n = 0; n < count; ++n) {
    const double phase = 2 * M_PI * frequency * n;
    const double noise = 0.1 * std::sin(n * (1.7 + 0.1 * variant) * n);
    const float parts[] = {static_cast<float>(std::cos(phase) + noise),
                           static_cast<float>(std::sin(phase))};
    std::memcpy(bytes.data() + static_cast<size_t>(n) * 8, parts, 8);
  }
  return bytes;
}

std::string MakeTar(const std::vector<TarEntry>& entries, bool zip, bool gzip) {
  archive* writer = archive_write_new();
  if (zip) {
    archive_write_set_format_zip(writer);
  } else {
    archive_write_set_format_pax_restricted(writer);
  }
  if (gzip) archive_write_add_filter_gzip(writer);
  std::string bytes(8 << 20, '\0');
  size_t used = 0;
  archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  for (const TarEntry& entry : entries) AddEntry(writer, entry);
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

}  // namespace switchyard::worker
