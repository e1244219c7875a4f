#include "worker/tasks/source/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "worker/tasks/source/archive.h"
#include "worker/tasks/source/sample.h"
#include "worker/tasks/testing/task_fixture.h"

namespace switchyard::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SourceTest : public TaskTest {
 protected:
  absl::StatusOr<std::unique_ptr<FileTree>> OpenPath(const std::string& path,
                                                     const SourceLimits& limits = {}) {
    api::Source source;
    source.set_path(path);
    return OpenSource(*MakeContext(), source, "source", limits);
  }
  absl::StatusOr<std::unique_ptr<FileTree>> OpenArchive(const std::string& bytes,
                                                        const SourceLimits& limits = {}) {
    api::Source source;
    source.set_artifact(Put(bytes));
    context_ = MakeContext();
    return OpenSource(*context_, source, "source", limits);
  }
  std::string PathError(const std::string& path) {
    return std::string(OpenPath(path).status().message());
  }
  std::string ArchiveError(const std::vector<TarEntry>& entries) {
    return std::string(OpenArchive(MakeTar(entries)).status().message());
  }
  std::unique_ptr<FakeAttemptContext> context_;
};

TEST_F(SourceTest, ListsAFolderInByteOrder) {
  WriteFile("data/b/2.png", "two");
  WriteFile("data/a/1.png", "one");
  WriteFile("data/B/3.png", "three");
  WriteFile("data/.hidden/4.png", "four");
  const auto tree = OpenPath(root() + "/data");
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_THAT((*tree)->files(), ElementsAre("B/3.png", "a/1.png", "b/2.png"));
  EXPECT_EQ(*(*tree)->Read("a/1.png", 100), "one");
  EXPECT_EQ(*(*tree)->ReadRange("b/2.png", 1, 100), "wo");
  EXPECT_THAT(std::string((*tree)->Read("b/2.png", 2).status().message()), HasSubstr("at most 2"));
}

TEST_F(SourceTest, OpensTheRootItselfAndASingleFile) {
  WriteFile("x.png", "content");
  EXPECT_TRUE(OpenPath(root()).ok());
  EXPECT_TRUE(OpenPath(root() + "/").ok());
  const auto tree = OpenPath(root() + "/x.png");
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_THAT((*tree)->files(), ElementsAre("x.png"));
  EXPECT_EQ(*(*tree)->Read("x.png", 100), "content");
}

TEST_F(SourceTest, RefusesPathsOutsideTheRoots) {
  for (const std::string& path : {std::string("/etc"), std::string("/"), root() + "/../artifacts",
                                  root() + "-other/x", root() + "/a/../../artifacts"}) {
    WriteFile("a/x", "");
    EXPECT_EQ(OpenPath(path).status().code(), absl::StatusCode::kPermissionDenied) << path;
  }
  EXPECT_THAT(PathError("/etc"), HasSubstr(root()));
  EXPECT_THAT(PathError("/etc"), HasSubstr("upload"));
  EXPECT_EQ(OpenPath("relative").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SourceTest, NeverFollowsALinkOutOfTheRoots) {
  WriteFile("data/a/real.png", "real");
  ASSERT_EQ(symlink("/etc", (root() + "/out").c_str()), 0);
  ASSERT_EQ(symlink("/etc/passwd", (root() + "/data/a/passwd.png").c_str()), 0);
  ASSERT_EQ(symlink("real.png", (root() + "/data/a/link.png").c_str()), 0);
  EXPECT_EQ(OpenPath(root() + "/out").status().code(), absl::StatusCode::kPermissionDenied);
  const auto tree = OpenPath(root() + "/data");
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_THAT((*tree)->files(), ElementsAre("a/link.png", "a/real.png"));
  EXPECT_EQ((*tree)->Read("a/passwd.png", 1000).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(*(*tree)->Read("a/link.png", 100), "real");
}

TEST_F(SourceTest, SaysWhatIsMissingOrNoFile) {
  EXPECT_EQ(OpenPath(root() + "/gone").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(PathError(root() + "/gone"), HasSubstr("/gone"));
  ASSERT_EQ(mkfifo((root() + "/pipe").c_str(), 0600), 0);
  EXPECT_THAT(PathError(root() + "/pipe"), HasSubstr("neither a file nor a folder"));
}

TEST_F(SourceTest, BoundsTheFilesOfAFolder) {
  for (int i = 0; i < 5; ++i) WriteFile(absl::StrCat("many/", i), "");
  EXPECT_FALSE(OpenPath(root() + "/many", {.max_files = 4}).ok());
  WriteFile("deep/1/2/3/4/x", "");
  EXPECT_FALSE(OpenPath(root() + "/deep", {.max_depth = 3}).ok());
}

TEST_F(SourceTest, UnpacksTarGzipAndZip) {
  const std::vector<TarEntry> entries = {{"./a/1.png", "one"}, {"a/\xc3\xa4.png", "two"}};
  for (const std::string& bytes :
       {MakeTar(entries), MakeTar(entries, false, true), MakeTar(entries, true)}) {
    const auto tree = OpenArchive(bytes);
    ASSERT_TRUE(tree.ok()) << tree.status();
    EXPECT_THAT((*tree)->files(), ElementsAre("a/1.png", "a/\xc3\xa4.png"));
    EXPECT_EQ(*(*tree)->Read("a/1.png", 100), "one");
  }
}

TEST_F(SourceTest, TakesAnArtifactThatIsNoArchiveAsOneFile) {
  const auto tree = OpenArchive("plain bytes");
  ASSERT_TRUE(tree.ok()) << tree.status();
  ASSERT_EQ((*tree)->files().size(), 1u);
  EXPECT_EQ(*(*tree)->Read((*tree)->files()[0], 100), "plain bytes");
}

TEST_F(SourceTest, RefusesWhatArchivesMayNotHold) {
  EXPECT_THAT(ArchiveError({{"../x", "1"}}), HasSubstr("'..'"));
  EXPECT_THAT(ArchiveError({{"a/../../x", "1"}}), HasSubstr("'..'"));
  EXPECT_THAT(ArchiveError({{"/etc/x", "1"}}), HasSubstr("absolute"));
  EXPECT_THAT(ArchiveError({{"x", "", 'l', "/etc/passwd"}}), HasSubstr("link"));
  EXPECT_THAT(ArchiveError({{"y", "1"}, {"x", "", 'h', "y"}}), HasSubstr("link"));
  EXPECT_THAT(ArchiveError({{"x", "", 'c'}}), HasSubstr("neither a file nor a folder"));
  EXPECT_THAT(ArchiveError({{"x", "", 'p'}}), HasSubstr("neither a file nor a folder"));
  EXPECT_THAT(ArchiveError({{"x", "1"}, {"x", "2"}}), HasSubstr("x"));
}

TEST_F(SourceTest, StopsAnArchiveAtItsBounds) {
  const std::string bomb = MakeTar({{"x", std::string(4 << 20, '\0')}}, false, true);
  EXPECT_LT(bomb.size(), 100'000u);
  EXPECT_THAT(std::string(OpenArchive(bomb, {.max_bytes = 1 << 20}).status().message()),
              HasSubstr("unpacks to more than"));
  const std::string many = MakeTar({{"1", ""}, {"2", ""}, {"3", ""}});
  EXPECT_FALSE(OpenArchive(many, {.max_files = 2}).ok());
}

TEST_F(SourceTest, RefusesDamagedArchives) {
  const std::string good = MakeTar({{"a/1.png", std::string(3000, 'x')}}, false, true);
  EXPECT_FALSE(OpenArchive(good.substr(0, good.size() / 2)).ok());
  EXPECT_FALSE(ReadArchive("no archive", {}).ok());
}

TEST_F(SourceTest, SaysWhichArtifactIsMissing) {
  api::Source source;
  source.set_artifact(std::string(64, 'a'));
  const absl::Status status = OpenSource(*MakeContext(), source, "source").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(64, 'a')));
}

TEST_F(SourceTest, StopsUnpackingWhenCancelled) {
  api::Source source;
  source.set_artifact(Put(MakeTar({{"a", std::string(1 << 20, 'x')}})));
  const auto context = MakeContext();
  context->Cancel();
  EXPECT_EQ(OpenSource(*context, source, "source").status().code(), absl::StatusCode::kCancelled);
}

std::unique_ptr<FileTree> Recording(const std::string& metadata, size_t data_bytes) {
  return MakeMemoryTree(
      {{"r.sigmf-meta", metadata}, {"r.sigmf-data", std::string(data_bytes, '\1')}});
}

TEST(Samples, TellsFormatsApart) {
  EXPECT_EQ(DetectFormat(*Recording("{}", 0)), switchyard::v1::Source::SIGMF);
  EXPECT_EQ(DetectFormat(*MakeMemoryTree({{"a/1.png", ""}})), switchyard::v1::Source::IMAGE_FOLDER);
}

TEST(Samples, CutsARecordingIntoItsAnnotations) {
  const auto tree = Recording(R"({"global": {"core:datatype": "ci8"}, "annotations": [
    {"core:sample_start": 10, "core:sample_count": 100, "core:label": "x"}, {"core:sample_start": 200}]})",
                              1000);
  const auto segments = ListSegments(*tree, "r.sigmf-meta");
  ASSERT_TRUE(segments.ok()) << segments.status();
  ASSERT_EQ(segments->size(), 2u);
  EXPECT_EQ((*segments)[0].name, "r.sigmf-meta#0");
  EXPECT_EQ((*segments)[0].first_byte, 20);
  EXPECT_EQ((*segments)[0].samples, 100);
  EXPECT_EQ((*segments)[1].samples, 300);
}

TEST(Samples, RefusesSegmentsThatAreNotThere) {
  const auto segments = [](const std::string& start, size_t bytes) {
    const std::string metadata =
        R"({"global": {"core:datatype": "ci8"}, "annotations": [{"core:sample_start": )" + start +
        "}]}";
    return ListSegments(*Recording(metadata, bytes), "r.sigmf-meta");
  };
  EXPECT_TRUE(segments("499", 1000).ok());
  EXPECT_FALSE(segments("500", 1000).ok());
  EXPECT_FALSE(segments("9223372036854775807", 1000).ok());
  EXPECT_FALSE(segments("0, \"core:sample_count\": 9223372036854775807", 1000).ok());
  EXPECT_FALSE(
      ListSegments(*MakeMemoryTree({{"r.sigmf-meta", SigmfMetadataText("x")}}), "r.sigmf-meta")
          .ok());
}

TEST(Samples, SaysWhatAnEmptyDataSetLacks) {
  int64_t left_out = 0;
  const auto images = ListLabelled(*MakeMemoryTree({{"top.png", ""}, {"a/readme.txt", ""}}),
                                   switchyard::v1::Source::IMAGE_FOLDER, left_out);
  EXPECT_THAT(std::string(images.status().message()), HasSubstr("one folder per class"));
  EXPECT_EQ(left_out, 2);
  const auto recordings = ListLabelled(*Recording(R"({"global": {"core:datatype": "ci8"}})", 1000),
                                       switchyard::v1::Source::SIGMF, left_out);
  EXPECT_THAT(std::string(recordings.status().message()), HasSubstr("core:label"));
}

}  // namespace
}  // namespace switchyard::worker
