// What every ArtifactStore promises. A new implementation is one more line at the end.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/str_cat.h"
#include "common/artifacts/artifact_store.h"
#include "common/hash/sha256.h"
#include "gtest/gtest.h"

namespace switchyard {
namespace {

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<ArtifactStore>(const std::string& scratch)> open;
  friend void PrintTo(const Implementation& store, std::ostream* out) { *out << store.name; }
};

class ArtifactStoreContract : public testing::TestWithParam<Implementation> {
 protected:
  ArtifactStoreContract() {
    scratch_ = absl::StrCat(testing::TempDir(), "/artifacts.", getpid(), ".",
                            testing::UnitTest::GetInstance()->random_seed(),
                            reinterpret_cast<uintptr_t>(this));
    std::filesystem::create_directories(scratch_);
    store_ = GetParam().open(scratch_);
  }
  ~ArtifactStoreContract() override { std::filesystem::remove_all(scratch_); }

  std::string scratch_;
  std::unique_ptr<ArtifactStore> store_;
};

TEST_P(ArtifactStoreContract, GivesBackTheBytesUnderTheirHash) {
  const auto put = PutBytes(*store_, "some bytes");
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(put->sha256, Sha256Hex("some bytes"));
  EXPECT_EQ(put->size_bytes, 10);
  EXPECT_EQ(GetBytes(*store_, put->sha256, 10).value(), "some bytes");
}

TEST_P(ArtifactStoreContract, HoldsTheEmptyArtifact) {
  const auto put = PutBytes(*store_, "");
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(GetBytes(*store_, put->sha256, 0).value(), "");
}

TEST_P(ArtifactStoreContract, HashesPiecesAsOneWhole) {
  auto writer = store_->Create().value();
  ASSERT_TRUE(writer->Append("some ").ok());
  ASSERT_TRUE(writer->Append("bytes").ok());
  EXPECT_EQ(writer->Finish("").value().sha256, Sha256Hex("some bytes"));
}

TEST_P(ArtifactStoreContract, ReadsInPiecesOfAtMostTheAskedLength) {
  const auto put = PutBytes(*store_, "abcdefg").value();
  auto reader = store_->Open(put.sha256).value();
  EXPECT_EQ(reader->size_bytes(), 7);
  std::string whole;
  for (std::string piece = reader->Read(3).value(); !piece.empty();
       piece = reader->Read(3).value()) {
    EXPECT_LE(piece.size(), 3u);
    whole += piece;
  }
  EXPECT_EQ(whole, "abcdefg");
}

TEST_P(ArtifactStoreContract, PublishingTwiceSucceeds) {
  ASSERT_TRUE(PutBytes(*store_, "twice").ok());
  EXPECT_TRUE(PutBytes(*store_, "twice").ok());
}

TEST_P(ArtifactStoreContract, KeepsNothingWhenTheHashIsAnother) {
  auto writer = store_->Create().value();
  ASSERT_TRUE(writer->Append("these").ok());
  const auto finished = writer->Finish(Sha256Hex("others"));
  EXPECT_EQ(finished.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->Open(Sha256Hex("these")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->Open(Sha256Hex("others")).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(ArtifactStoreContract, IsNotThereBeforeFinish) {
  auto writer = store_->Create().value();
  ASSERT_TRUE(writer->Append("unfinished").ok());
  EXPECT_EQ(store_->Open(Sha256Hex("unfinished")).status().code(), absl::StatusCode::kNotFound);
  writer.reset();
  EXPECT_EQ(store_->Open(Sha256Hex("unfinished")).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(ArtifactStoreContract, RefusesANameThatIsNoHash) {
  for (const char* name : {"", "abc", "../../../../etc/passwd"}) {
    EXPECT_EQ(store_->Open(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_P(ArtifactStoreContract, RefusesToReadMoreThanAskedInOnePiece) {
  const auto put = PutBytes(*store_, "0123456789").value();
  EXPECT_EQ(GetBytes(*store_, put.sha256, 9).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_P(ArtifactStoreContract, CarriesFilesOfSeveralMegabytes) {
  const std::string from = scratch_ + "/from", to = scratch_ + "/to";
  std::string content;
  for (int i = 0; i < 400'000; ++i) absl::StrAppend(&content, i, ",");
  std::ofstream(from) << content;
  const auto put = PutFile(*store_, from);
  ASSERT_TRUE(put.ok()) << put.status();
  ASSERT_TRUE(FetchToFile(*store_, put->sha256, to).ok());
  std::ifstream in(to);
  EXPECT_TRUE(content == std::string(std::istreambuf_iterator<char>(in), {}));
}

TEST_P(ArtifactStoreContract, NamesAFileThatIsNotThere) {
  const auto put = PutFile(*store_, "/no/such/file");
  EXPECT_EQ(put.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(put.status().message().find("/no/such/file"), std::string::npos);
}

TEST_P(ArtifactStoreContract, DoesNotOverwriteAFileWhenFetching) {
  const auto put = PutBytes(*store_, "new").value();
  std::ofstream(scratch_ + "/old") << "old";
  EXPECT_EQ(FetchToFile(*store_, put.sha256, scratch_ + "/old").code(),
            absl::StatusCode::kAlreadyExists);
}

INSTANTIATE_TEST_SUITE_P(
    All, ArtifactStoreContract,
    testing::Values(Implementation{
        "Directory",
        [](const std::string& scratch) { return OpenDirectoryStore(scratch + "/store").value(); }}),
    [](const testing::TestParamInfo<Implementation>& info) { return info.param.name; });

}  // namespace
}  // namespace switchyard
