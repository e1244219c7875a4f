#include "cli/pack/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;

class PackTest : public testing::Test {
 protected:
  PackTest() : scratch_(absl::StrCat(testing::TempDir(), "/pack.", getpid())) {
    fs::remove_all(scratch_);
    fs::create_directories(folder());
  }
  ~PackTest() override { fs::remove_all(scratch_); }

  std::string folder() const { return scratch_ + "/folder"; }
  std::string tar() const { return scratch_ + "/out.tar"; }
  void Write(const std::string& name, const std::string& content) {
    fs::create_directories(fs::path(folder() + "/" + name).parent_path());
    std::ofstream(folder() + "/" + name) << content;
  }
  std::vector<std::string> Names() const {
    setlocale(LC_CTYPE, "C.UTF-8");  // libarchive gives names in the locale's encoding.
    archive* reader = archive_read_new();
    archive_read_support_format_tar(reader);
    archive_read_open_filename(reader, tar().c_str(), 10240);
    std::vector<std::string> names;
    for (archive_entry* entry; archive_read_next_header(reader, &entry) == ARCHIVE_OK;) {
      names.push_back(archive_entry_pathname(entry));
    }
    archive_read_free(reader);
    return names;
  }

  const std::string scratch_;
};

TEST_F(PackTest, PacksAllFilesSortedByName) {
  Write("b/2.png", "two");
  Write("a/1.png", "one");
  const auto packed = PackFolder(folder(), tar());
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(packed->files, 2u);
  EXPECT_THAT(Names(), testing::ElementsAre("a/1.png", "b/2.png"));
  EXPECT_EQ(HashFile(tar()).value().sha256, packed->sha256);
  EXPECT_EQ(static_cast<int64_t>(fs::file_size(tar())), packed->size_bytes);
}

TEST_F(PackTest, TheSameContentIsTheSameArtifact) {
  Write("a/1.png", "one");
  const std::string first = PackFolder(folder(), tar()).value().sha256;
  fs::last_write_time(folder() + "/a/1.png",
                      fs::file_time_type::clock::now() - std::chrono::hours(5));
  EXPECT_EQ(PackFolder(folder(), tar()).value().sha256, first);
  Write("a/1.png", "other");
  EXPECT_NE(PackFolder(folder(), tar()).value().sha256, first);
}

TEST_F(PackTest, KeepsNamesThatAreNotAscii) {
  const std::string name = "\xE6\x95\xB0\xE5\xAD\x97/\xC3\xBC.png";
  Write(name, "x");
  ASSERT_TRUE(PackFolder(folder(), tar()).ok());
  EXPECT_THAT(Names(), testing::ElementsAre(name));
}

TEST_F(PackTest, FollowsLinksToFilesAndRefusesLinksToFolders) {
  Write("a/1.png", "one");
  fs::create_symlink(folder() + "/a/1.png", folder() + "/a/2.png");
  EXPECT_EQ(PackFolder(folder(), tar()).value().files, 2u);
  fs::create_directory_symlink(scratch_, folder() + "/up");
  const auto refused = PackFolder(folder(), tar());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), testing::HasSubstr("/up"));
}

TEST_F(PackTest, RefusesAnEmptyFolder) {
  EXPECT_EQ(PackFolder(folder(), tar()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace switchyard::cli
