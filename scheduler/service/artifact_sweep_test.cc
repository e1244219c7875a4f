#include "scheduler/service/artifact_sweep.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/artifacts/artifact_uploads.h"
#include "common/hash/sha256.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/store/memory_store.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {
namespace {

constexpr absl::Duration kKeep = absl::Hours(24);

struct Faults final : StoreFaults {
  bool fail = false;
  StoreFault OnWrite() override { return {}; }
  StoreFault OnRead() override { return {fail ? StoreFault::kFail : StoreFault::kNone, {}}; }
};

class ArtifactSweepTest : public testing::Test {
 protected:
  ArtifactSweepTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sweep-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    artifacts_ = OpenDirectoryStore(folder_).value();
    epoch_ = *store_.BumpEpoch();
  }
  ~ArtifactSweepTest() override { std::filesystem::remove_all(folder_); }

  // Bytes that were stored so long ago.
  std::string Store(const std::string& bytes, absl::Duration age) {
    const std::string sha256 = PutBytes(*artifacts_, bytes)->sha256;
    const timespec time = absl::ToTimespec(now_ - age);
    const timespec times[] = {time, time};
    const std::string path = absl::StrCat(folder_, "/", sha256.substr(0, 2), "/", sha256.substr(2));
    EXPECT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    return sha256;
  }
  bool IsThere(const std::string& sha256) { return artifacts_->Open(sha256).ok(); }
  void Refer(const std::string& tenant, const std::string& sha256) {
    WriteBatch batch;
    batch.artifact_references = {{tenant, sha256, 1, "text/plain", 1}};
    ASSERT_TRUE(store_.Commit(epoch_, batch).ok());
  }
  JobImage Job(JobId id) {
    JobImage image;
    image.id = id;
    image.tenant = "default";
    image.kind = v1::Job::kNoop;
    return image;
  }
  void Insert(const JobImage& image, const std::string& spec) {
    WriteBatch batch;
    JobRow& row = batch.inserts.emplace_back();
    EncodeRow(image, row);
    row.spec = spec;
    ASSERT_TRUE(store_.Commit(epoch_, batch).ok());
  }
  ArtifactSweep Sweep() {
    const auto sweep =
        SweepArtifacts(store_, *artifacts_, now_, kKeep, [this] { return stopped_; });
    EXPECT_TRUE(sweep.ok()) << sweep.status();
    return sweep.ok() ? *sweep : ArtifactSweep();
  }

  std::string folder_;
  const absl::Time now_ = absl::Now();
  std::unique_ptr<ArtifactStore> artifacts_;
  Faults faults_;
  MemoryStore store_{&faults_};
  uint64_t epoch_ = 0;
  bool stopped_ = false;
};

TEST_F(ArtifactSweepTest, RemovesWhatIsOldAndUnreferencedAndNothingElse) {
  const std::string young = Store("young", absl::Hours(23)), old = Store("old!", absl::Hours(25)),
                    mine = Store("mine", absl::Hours(1000)),
                    theirs = Store("theirs", absl::Hours(1000));
  Refer("default", mine);
  Refer("team", theirs);
  const ArtifactSweep sweep = Sweep();
  EXPECT_EQ(sweep.removed, 1);
  EXPECT_EQ(sweep.removed_bytes, 4);
  EXPECT_FALSE(IsThere(old));
  for (const std::string& sha256 : {young, mine, theirs}) EXPECT_TRUE(IsThere(sha256));
}

TEST_F(ArtifactSweepTest, KeepsWhatALiveJobWasSubmittedWith) {
  const std::string input = Store("input", absl::Hours(1000)),
                    resolved = Store("resolved", absl::Hours(1000)),
                    checkpoint = Store("checkpoint", absl::Hours(1000)),
                    events = Store("events", absl::Hours(1000)),
                    ended = Store("ended", absl::Hours(1000));
  v1::Job spec;
  spec.mutable_command()->add_inputs()->set_artifact(input);
  JobImage image = Job(1);
  image.links.inputs = "bytes " + resolved;
  image.checkpoint = checkpoint;
  image.outputs.push_back({.name = "events", .sha256 = events});
  Insert(image, spec.SerializeAsString());
  image = Job(2);
  image.state = JobState::kSucceeded;
  image.end_us = 5'000;
  Insert(image, ended);
  EXPECT_EQ(Sweep().removed, 1);
  for (const std::string& sha256 : {input, resolved, checkpoint, events})
    EXPECT_TRUE(IsThere(sha256));
  EXPECT_FALSE(IsThere(ended));
}

TEST_F(ArtifactSweepTest, KeepsWhatAnAttemptThatIsOutMayHaveStored) {
  const std::string before = Store("before", absl::Hours(80)),
                    during = Store("during", absl::Hours(60));
  JobImage image = Job(1);
  AttemptImage& attempt = image.attempts.emplace_back();
  attempt.number = 1;
  attempt.dispatch_us = absl::ToUnixMicros(now_ - absl::Hours(70));
  Insert(image, "");
  EXPECT_EQ(Sweep().removed, 1);
  EXPECT_FALSE(IsThere(before));
  EXPECT_TRUE(IsThere(during));
}

// A reference is given up while a submit that was checked against it is still on its way: the bytes
// are touched first, so they stay until the job is stored, and then because of it.
TEST_F(ArtifactSweepTest, ASubmitThatWasCheckedBeforeTheReferenceWentFindsItsBytes) {
  const std::string input = Store("input", absl::Hours(1000));
  Refer("default", input);
  ASSERT_TRUE(artifacts_->Touch(input).ok());
  WriteBatch release;
  release.released_artifacts = {{"default", input}};
  ASSERT_TRUE(store_.Commit(epoch_, release).ok());
  EXPECT_EQ(Sweep().removed, 0);
  Insert(Job(1), input);
  const auto later =
      SweepArtifacts(store_, *artifacts_, now_ + 2 * kKeep, kKeep, [] { return false; });
  EXPECT_EQ(later->removed, 0);
  EXPECT_TRUE(IsThere(input));
}

TEST_F(ArtifactSweepTest, RemovesUploadsThatNobodyWentOnWith) {
  const UploadKey key{"default", Sha256Hex("never complete")};
  ASSERT_TRUE(artifacts_->uploads().Begin(key, 100, "").ok());
  EXPECT_EQ(Sweep().abandoned, 0);
  const auto later =
      SweepArtifacts(store_, *artifacts_, now_ + 2 * kKeep, kKeep, [] { return false; });
  EXPECT_EQ(later->abandoned, 1);
}

TEST_F(ArtifactSweepTest, RemovesNothingAfterHalfALook) {
  const std::string old = Store("old", absl::Hours(1000));
  Insert(Job(1), old);
  int asked = 0;
  const auto sweep = SweepArtifacts(store_, *artifacts_, now_, kKeep, [&] { return ++asked > 2; });
  EXPECT_TRUE(absl::IsCancelled(sweep.status())) << sweep.status();
  EXPECT_TRUE(IsThere(old));
}

TEST_F(ArtifactSweepTest, AStoreThatCannotBeReadEndsIt) {
  const std::string old = Store("old", absl::Hours(1000));
  faults_.fail = true;
  EXPECT_FALSE(SweepArtifacts(store_, *artifacts_, now_, kKeep, [] { return false; }).ok());
  EXPECT_TRUE(IsThere(old));
}

}  // namespace
}  // namespace switchyard::scheduler
