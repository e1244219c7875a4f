// What only the folder has: damage, leftovers, a full disk.
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/artifacts/artifact_store.h"
#include "common/hash/sha256.h"
#include "gtest/gtest.h"

namespace switchyard {
namespace {

namespace fs = std::filesystem;

class DirectoryStoreTest : public testing::Test {
 protected:
  DirectoryStoreTest()
      : directory_(absl::StrCat(testing::TempDir(), "/directory_store.", getpid())) {
    fs::remove_all(directory_);
  }
  ~DirectoryStoreTest() override { fs::remove_all(directory_); }

  std::string PathOf(const std::string& sha256) const {
    return absl::StrCat(directory_, "/", sha256.substr(0, 2), "/", sha256.substr(2));
  }
  size_t TemporaryFiles() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory_ + "/tmp"), {}));
  }

  const std::string directory_;
};

TEST_F(DirectoryStoreTest, TellsDamagedBytesBeforeGivingTheLastOut) {
  auto store = OpenDirectoryStore(directory_).value();
  const auto put = PutBytes(*store, "precious").value();
  std::ofstream(PathOf(put.sha256)) << "precioux";
  EXPECT_EQ(store->Open(put.sha256).value()->Read(100).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(GetBytes(*store, put.sha256, 100).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(DirectoryStoreTest, TellsCutBytes) {
  auto store = OpenDirectoryStore(directory_).value();
  const auto put = PutBytes(*store, "precious").value();
  fs::resize_file(PathOf(put.sha256), 3);
  EXPECT_EQ(GetBytes(*store, put.sha256, 100).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(DirectoryStoreTest, StoringAgainHealsDamage) {
  auto store = OpenDirectoryStore(directory_).value();
  const auto put = PutBytes(*store, "precious").value();
  std::ofstream(PathOf(put.sha256)) << "damaged!";
  ASSERT_TRUE(PutBytes(*store, "precious").ok());
  EXPECT_EQ(GetBytes(*store, put.sha256, 100).value(), "precious");
}

TEST_F(DirectoryStoreTest, RemovesFilesOfDeadWritersAndLeavesThoseOfLiveOnes) {
  auto store = OpenDirectoryStore(directory_).value();
  auto live = store->Create().value();
  std::ofstream(directory_ + "/tmp/12345.0") << "left by a dead writer";
  EXPECT_EQ(TemporaryFiles(), 2u);
  auto second = OpenDirectoryStore(directory_).value();
  EXPECT_EQ(TemporaryFiles(), 1u);
  ASSERT_TRUE(live->Append("still here").ok());
  EXPECT_TRUE(live->Finish("").ok());
  EXPECT_EQ(GetBytes(*second, Sha256Hex("still here"), 100).value(), "still here");
}

TEST_F(DirectoryStoreTest, AnAbandonedWriterLeavesNothing) {
  auto store = OpenDirectoryStore(directory_).value();
  store->Create().value().reset();
  EXPECT_EQ(TemporaryFiles(), 0u);
}

// Runs in a child: a file system of 64 KiB in a mount namespace of its own. 0: as promised; 2: no
// right to mount.
int FillASmallDisk(const std::string& directory) {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=64k") != 0) {
    return 2;
  }
  auto store = OpenDirectoryStore(directory).value();
  const absl::Status status = PutBytes(*store, std::string(1 << 20, 'x')).status();
  if (status.code() != absl::StatusCode::kResourceExhausted) return 1;
  if (status.message().find(directory) == absl::string_view::npos) return 1;
  return PutBytes(*store, "there is room for this").ok() ? 0 : 1;
}

TEST_F(DirectoryStoreTest, SaysWhichFolderIsFullAndGoesOnAfterwards) {
  fs::create_directories(directory_);
  const pid_t child = fork();
  if (child == 0) _exit(FillASmallDisk(directory_));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "may not mount a small file system here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace switchyard
