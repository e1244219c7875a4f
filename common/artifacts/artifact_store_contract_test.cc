// What every ArtifactStore promises. A new implementation is one more line at the end.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/artifacts/artifact_store.h"
#include "common/artifacts/artifact_uploads.h"
#include "common/artifacts/s3/s3_store.h"
#include "common/artifacts/testing/s3_server.h"
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
  void SetUp() override {
    static int tests = 0;
    scratch_ = absl::StrCat(testing::TempDir(), "/artifacts.", getpid(), ".", ++tests);
    std::filesystem::create_directories(scratch_);
    store_ = GetParam().open(scratch_);
    if (store_ != nullptr) return;
    // Nobody must believe that this was tested.
    if (std::getenv("CI") != nullptr) FAIL() << "no S3 server here";
    GTEST_SKIP() << "no S3 server here: this store is NOT TESTED";
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

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t random = 12345;
  for (char& byte : bytes) byte = static_cast<char>((random = random * 1664525 + 1013904223) >> 24);
  return bytes;
}

// All of a reader, in pieces of `piece` bytes.
absl::StatusOr<std::string> ReadAll(ArtifactReader& reader, int64_t piece) {
  std::string all;
  for (;;) {
    const absl::StatusOr<std::string> data = reader.Read(piece);
    if (!data.ok()) return data.status();
    if (data->empty()) return all;
    all += *data;
  }
}

TEST_P(ArtifactStoreContract, GivesRangesOfLargeAndSmallArtifacts) {
  for (const size_t size : {size_t{10}, size_t{5'000'000}}) {
    const std::string bytes = Pattern(size);
    const std::string sha256 = PutBytes(*store_, bytes)->sha256;
    const auto all = static_cast<int64_t>(size);
    for (const ByteRange range :
         {ByteRange{0, 1}, ByteRange{3, 4}, ByteRange{all - 1, 0}, ByteRange{-2, 0},
          ByteRange{-2, 1}, ByteRange{all / 2, all}, ByteRange{-2 * all, 5}}) {
      const auto reader = store_->Open(sha256, range);
      ASSERT_TRUE(reader.ok()) << reader.status();
      const int64_t offset =
          range.offset >= 0 ? range.offset : std::max<int64_t>(0, all + range.offset);
      const std::string expected =
          bytes.substr(static_cast<size_t>(offset),
                       range.length == 0 ? std::string::npos : static_cast<size_t>(range.length));
      EXPECT_EQ((*reader)->size_bytes(), all);
      EXPECT_EQ((*reader)->offset(), offset);
      EXPECT_EQ((*reader)->range_bytes(), static_cast<int64_t>(expected.size()));
      EXPECT_TRUE(*ReadAll(**reader, 1000) == expected) << range.offset << "+" << range.length;
    }
    EXPECT_EQ(store_->Open(sha256, {all, 0}).status().code(), absl::StatusCode::kOutOfRange);
  }
}

TEST_P(ArtifactStoreContract, RefusesAHashThatWasToldAtTheBeginning) {
  for (const size_t size : {size_t{5}, size_t{20'000'000}}) {
    const std::string named = Sha256Hex(absl::StrCat("others", size));
    auto writer = store_->Create(named).value();
    ASSERT_TRUE(writer->Append(Pattern(size)).ok());
    EXPECT_EQ(writer->Finish("").status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store_->Open(named).status().code(), absl::StatusCode::kNotFound);
  }
}

TEST_P(ArtifactStoreContract, StoresManyPartsOfAHashThatIsKnownOrNot) {
  const std::string bytes = Pattern(20'000'001);
  for (const std::string& known : {Sha256Hex(bytes), std::string()}) {
    auto writer = store_->Create(known).value();
    for (size_t at = 0; at < bytes.size(); at += 3'000'000) {
      ASSERT_TRUE(writer->Append(absl::string_view(bytes).substr(at, 3'000'000)).ok());
    }
    const auto put = writer->Finish("");
    ASSERT_TRUE(put.ok()) << put.status();
    EXPECT_TRUE(*GetBytes(*store_, put->sha256, 30'000'000) == bytes);
    ASSERT_TRUE(*store_->Remove(put->sha256, absl::Now() + absl::Hours(1)));
  }
}

TEST_P(ArtifactStoreContract, ListsByHashAndGoesOnAfterOne) {
  std::vector<std::string> hashes;
  for (int i = 0; i < 5; ++i) hashes.push_back(PutBytes(*store_, absl::StrCat("item ", i))->sha256);
  std::sort(hashes.begin(), hashes.end());
  const auto all = *store_->List("", 100);
  ASSERT_EQ(all.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(all[i].sha256, hashes[i]);
    EXPECT_EQ(all[i].size_bytes, 6);
    EXPECT_LT(absl::AbsDuration(all[i].stored - absl::Now()), absl::Minutes(10));
  }
  const auto page = *store_->List(hashes[1], 2);
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].sha256, hashes[2]);
  EXPECT_TRUE(store_->List(hashes[4], 2)->empty());
}

TEST_P(ArtifactStoreContract, RemovesOnlyWhatIsOldEnough) {
  const std::string sha256 = PutBytes(*store_, "old")->sha256;
  const absl::Time later = absl::Now() + absl::Hours(1), before = absl::Now() - absl::Hours(1);
  EXPECT_FALSE(*store_->Remove(sha256, before));
  EXPECT_TRUE(store_->Open(sha256).ok());
  EXPECT_TRUE(*store_->Remove(sha256, later));
  EXPECT_EQ(store_->Open(sha256).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(*store_->Remove(sha256, later));
  EXPECT_EQ(GetBytes(*store_, PutBytes(*store_, "old")->sha256, 10).value(), "old");
}

TEST_P(ArtifactStoreContract, StoringAgainAndTouchingMakeItYoung) {
  const std::string sha256 = PutBytes(*store_, "again")->sha256;
  // Times in a bucket are whole seconds: this waits for the next one and gives it.
  const auto next_second = [] {
    const absl::Time next = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()) + 1);
    while (absl::Now() < next) usleep(10'000);
    return next;
  };
  absl::Time old = next_second();
  ASSERT_TRUE(PutBytes(*store_, "again").ok());
  EXPECT_FALSE(*store_->Remove(sha256, old));
  old = next_second();
  ASSERT_TRUE(store_->Touch(sha256).ok());
  EXPECT_FALSE(*store_->Remove(sha256, old));
  EXPECT_TRUE(store_->Touch(Sha256Hex("not there")).ok());
}

// A remover that takes everything old, and a storer of the same bytes, at the same time: what the
// storer was told is stored is there, whoever was first.
TEST_P(ArtifactStoreContract, ARemoverNeverTakesWhatIsStoredMeanwhile) {
  constexpr int kArtifacts = 40;
  std::vector<std::string> hashes;
  for (int i = 0; i < kArtifacts; ++i) {
    hashes.push_back(PutBytes(*store_, absl::StrCat("item ", i))->sha256);
  }
  // Times in a bucket are whole seconds.
  const absl::Time old = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()) + 1);
  while (absl::Now() < old) usleep(10'000);
  std::atomic<int> removed{0};
  std::thread remover([&] {
    for (const std::string& sha256 : hashes) removed += *store_->Remove(sha256, old) ? 1 : 0;
  });
  for (int i = 0; i < kArtifacts; ++i) {
    const auto put = PutBytes(*store_, absl::StrCat("item ", i));
    EXPECT_TRUE(put.ok()) << put.status();
    EXPECT_TRUE(store_->Open(hashes[static_cast<size_t>(i)]).ok()) << i;
  }
  remover.join();
  for (const std::string& sha256 : hashes) EXPECT_TRUE(store_->Open(sha256).ok()) << sha256;
}

// --- uploads in parts ---

class Uploading : public ArtifactStoreContract {
 protected:
  static constexpr int64_t kPart = int64_t{8} << 20;

  void SetUp() override {
    ArtifactStoreContract::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    bytes_ = Pattern(2 * kPart + 1000);
    key_ = {"team", Sha256Hex(bytes_)};
  }
  absl::StatusOr<Upload> Begin() {
    return store_->uploads().Begin(key_, static_cast<int64_t>(bytes_.size()), "image/png");
  }
  std::string PartOf(uint32_t part) const {
    return bytes_.substr(static_cast<size_t>((part - 1) * kPart), kPart);
  }
  absl::Status Put(uint32_t part, const std::string& bytes) {
    auto writer = store_->uploads().CreatePart(key_, part);
    if (!writer.ok()) return writer.status();
    for (size_t at = 0; at < bytes.size(); at += 300'000) {
      absl::Status status = (*writer)->Append(absl::string_view(bytes).substr(at, 300'000));
      if (!status.ok()) return status;
    }
    return (*writer)->Finish();
  }
  std::vector<uint32_t> Stored() { return store_->uploads().Find(key_)->stored_parts; }

  std::string bytes_;
  UploadKey key_;
};

TEST_P(Uploading, PartsInAnyOrderMakeTheArtifact) {
  const auto upload = Begin();
  ASSERT_TRUE(upload.ok()) << upload.status();
  EXPECT_EQ(upload->part_bytes, kPart);
  EXPECT_EQ(upload->parts(), 3u);
  EXPECT_EQ(upload->media_type, "image/png");
  EXPECT_TRUE(upload->stored_parts.empty());
  for (const uint32_t part : {3u, 1u}) ASSERT_TRUE(Put(part, PartOf(part)).ok());
  // As one does who was interrupted: it begins again and is told what is there.
  EXPECT_EQ(Begin()->stored_parts, (std::vector<uint32_t>{1, 3}));
  EXPECT_EQ(store_->uploads().Complete(key_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Put(2, PartOf(2)).ok());
  const auto whole = store_->uploads().Complete(key_);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->sha256, key_.sha256);
  EXPECT_EQ(whole->size_bytes, static_cast<int64_t>(bytes_.size()));
  EXPECT_TRUE(*GetBytes(*store_, key_.sha256, 1 << 30) == bytes_);
  EXPECT_TRUE(*ReadAll(**store_->Open(key_.sha256, {kPart - 5, 10}), 100) ==
              bytes_.substr(kPart - 5, 10));
  EXPECT_EQ(store_->uploads().Find(key_).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(Uploading, AnUploadIsItsTenants) {
  ASSERT_TRUE(Begin().ok());
  EXPECT_EQ(store_->uploads().Find({"other", key_.sha256}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->uploads().Find({"../team", key_.sha256}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(Uploading, APartIsThereWholeOrNotAtAll) {
  ASSERT_TRUE(Begin().ok());
  EXPECT_EQ(Put(1, PartOf(1).substr(1)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Put(3, PartOf(1)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Put(4, "x").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Put(0, "x").code(), absl::StatusCode::kInvalidArgument);
  auto writer = store_->uploads().CreatePart(key_, 1).value();
  ASSERT_TRUE(writer->Append(PartOf(1)).ok());
  writer.reset();
  EXPECT_TRUE(Stored().empty());
}

TEST_P(Uploading, WrongBytesAreToldAtTheEndAndNothingIsKept) {
  ASSERT_TRUE(Begin().ok());
  ASSERT_TRUE(Put(1, PartOf(1)).ok());
  ASSERT_TRUE(Put(2, PartOf(1)).ok());
  ASSERT_TRUE(Put(3, PartOf(3)).ok());
  EXPECT_EQ(store_->uploads().Complete(key_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->Open(key_.sha256).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->uploads().Find(key_).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(Uploading, APartThatIsSentAgainReplacesTheOneBefore) {
  ASSERT_TRUE(Begin().ok());
  for (const uint32_t part : {1u, 2u, 3u})
    ASSERT_TRUE(Put(part, PartOf(part == 2 ? 1 : part)).ok());
  ASSERT_TRUE(Put(2, PartOf(2)).ok());
  EXPECT_TRUE(store_->uploads().Complete(key_).ok());
}

TEST_P(Uploading, IsRefusedWithAnotherLengthAndDropped) {
  ASSERT_TRUE(Begin().ok());
  EXPECT_EQ(store_->uploads().Begin(key_, 5, "").status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Put(1, PartOf(1)).ok());
  ASSERT_TRUE(store_->uploads().Drop(key_).ok());
  ASSERT_TRUE(store_->uploads().Drop(key_).ok());
  EXPECT_EQ(Put(1, PartOf(1)).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->uploads().Begin(key_, 5, "")->parts(), 1u);
}

TEST_P(Uploading, WhatIsAbandonedIsRemovedAndWhatIsYoungIsNot) {
  ASSERT_TRUE(Begin().ok());
  ASSERT_TRUE(Put(1, PartOf(1)).ok());
  auto young = store_->Create().value();
  ASSERT_TRUE(young->Append(Pattern(9'000'000)).ok());
  ASSERT_TRUE(store_->uploads().RemoveAbandoned(absl::Now() - absl::Hours(1)).ok());
  EXPECT_EQ(Stored(), std::vector<uint32_t>{1});
  ASSERT_TRUE(young->Finish("").ok());
  young.reset();
  EXPECT_EQ(*store_->uploads().RemoveAbandoned(absl::Now() + absl::Hours(1)), 1);
  EXPECT_EQ(store_->uploads().Find(key_).status().code(), absl::StatusCode::kNotFound);
}

S3Server* SharedServer() {
  static const absl::StatusOr<std::unique_ptr<S3Server>> server = S3Server::Start();
  if (!server.ok()) std::cerr << server.status() << "\n";
  return server.ok() ? server->get() : nullptr;
}

const Implementation kImplementations[] = {
    {"Directory",
     [](const std::string& scratch) { return OpenDirectoryStore(scratch + "/store").value(); }},
    {"S3", [](const std::string& scratch) -> std::unique_ptr<ArtifactStore> {
       if (SharedServer() == nullptr) return nullptr;
       // Each test has the bucket to itself as far as its prefix goes.
       const std::string prefix = "contract/" + scratch.substr(scratch.rfind('/') + 1);
       return OpenS3Store(SharedServer()->options(), prefix).value();
     }}};

std::string NameOf(const testing::TestParamInfo<Implementation>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(All, ArtifactStoreContract, testing::ValuesIn(kImplementations), NameOf);
INSTANTIATE_TEST_SUITE_P(All, Uploading, testing::ValuesIn(kImplementations), NameOf);

}  // namespace
}  // namespace switchyard
