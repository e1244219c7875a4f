// What only a bucket has: a service that is away, slow, overloaded, or holds other bytes than were
// stored.
#include "common/artifacts/s3/s3_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <thread>

#include "common/artifacts/artifact_uploads.h"
#include "common/artifacts/open_store.h"
#include "common/artifacts/s3/s3_objects.h"
#include "common/artifacts/s3/s3_xml.h"
#include "common/artifacts/testing/faulty_proxy.h"
#include "common/artifacts/testing/s3_server.h"
#include "common/hash/sha256.h"

namespace switchyard {
namespace {

class S3StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<S3Server>> server = S3Server::Start();
    if (!server.ok() && std::getenv("CI") == nullptr) {
      GTEST_SKIP() << "no S3 server here, NOT TESTED: " << server.status();
    }
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    proxy_ = FaultyProxy::Start(server_->port()).value();
    store_ = Open();
  }

  std::unique_ptr<ArtifactStore> Open() {
    return OpenS3Store(server_->options(proxy_->port()), "site").value();
  }
  S3ClientOptions options() const { return server_->options(proxy_->port()); }

  std::unique_ptr<S3Server> server_;
  std::unique_ptr<FaultyProxy> proxy_;
  std::unique_ptr<ArtifactStore> store_;
};

TEST_F(S3StoreTest, GoesOnWhenTheServiceIsOverloadedForAWhile) {
  const std::string bytes(20'000'000, 'x');
  auto writer = store_->Create(Sha256Hex(bytes)).value();
  for (size_t at = 0; at < bytes.size(); at += 5'000'000) {
    proxy_->AnswerUnavailable(2);
    const absl::Status status = writer->Append(absl::string_view(bytes).substr(at, 5'000'000));
    ASSERT_TRUE(status.ok()) << status;
  }
  proxy_->AnswerUnavailable(2);
  ASSERT_TRUE(writer->Finish("").ok());
  proxy_->AnswerUnavailable(3);
  EXPECT_TRUE(*GetBytes(*store_, Sha256Hex(bytes), 30'000'000) == bytes);
  EXPECT_GE(proxy_->faults(), 7);
}

TEST_F(S3StoreTest, GoesOnWhenConnectionsBreak) {
  const std::string bytes(9'000'000, 'y');
  proxy_->CutAfter(2'000'000, 2);
  const auto put = PutBytes(*store_, bytes);
  ASSERT_TRUE(put.ok()) << put.status();
  proxy_->CutAfter(500'000, 2);
  EXPECT_TRUE(*GetBytes(*store_, put->sha256, 30'000'000) == bytes);
  EXPECT_EQ(proxy_->faults(), 4);
}

TEST_F(S3StoreTest, SaysThatTheServiceIsAwayWhenItStaysAway) {
  proxy_->AnswerUnavailable(1000);
  const absl::Status busy = PutBytes(*store_, "bytes").status();
  EXPECT_TRUE(absl::IsUnavailable(busy)) << busy;
  EXPECT_NE(busy.message().find("SlowDown"), absl::string_view::npos) << busy;
  proxy_->AnswerUnavailable(0);
  server_->Kill();
  const absl::Status gone = PutBytes(*store_, "bytes").status();
  EXPECT_TRUE(absl::IsUnavailable(gone)) << gone;
  EXPECT_NE(gone.message().find(store_ == nullptr ? "" : "127.0.0.1"), absl::string_view::npos);
}

// The server dies between two parts of one stream; another one, empty, takes its place.
TEST_F(S3StoreTest, AServerThatDiesDuringAnUploadLeavesNoHalfArtifact) {
  const std::string bytes(20'000'000, 'z');
  auto writer = store_->Create(Sha256Hex(bytes)).value();
  ASSERT_TRUE(writer->Append(absl::string_view(bytes).substr(0, 10'000'000)).ok());
  server_->Kill();
  absl::Status status = writer->Append(absl::string_view(bytes).substr(10'000'000));
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_FALSE(writer->Finish("").ok());
  writer.reset();
  server_ = S3Server::Start().value();
  proxy_ = FaultyProxy::Start(server_->port()).value();
  store_ = Open();
  EXPECT_TRUE(absl::IsNotFound(store_->Open(Sha256Hex(bytes)).status()));
  EXPECT_TRUE(PutBytes(*store_, bytes).ok());
}

TEST_F(S3StoreTest, WaitsForAServerThatSleepsAndGoesOn) {
  S3ClientOptions patient = options();
  patient.stall_timeout = std::chrono::seconds(1);
  const auto store = OpenS3Store(patient, "site").value();
  server_->Stop();
  std::atomic<bool> done{false};
  std::thread waker([&] {
    while (proxy_->connections() < 3) usleep(10'000);  // It has tried again.
    server_->GoOn();
  });
  const auto put = PutBytes(*store, "patience");
  EXPECT_TRUE(put.ok()) << put.status();
  waker.join();
}

TEST_F(S3StoreTest, TellsOtherBytesUnderAHashAsDamageWithTheirName) {
  std::string bytes(3'000'000, 'a');
  const std::string sha256 = PutBytes(*store_, bytes)->sha256;
  bytes[2'500'000] = 'b';
  S3Client client(options());
  ASSERT_TRUE(PutObject(client, "site/sha256/" + sha256, bytes).ok());
  const absl::Status whole = GetBytes(*store_, sha256, 1 << 30).status();
  EXPECT_EQ(whole.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(whole.message().find(sha256), absl::string_view::npos);
  EXPECT_EQ(store_->Open(sha256, {2'400'000, 10}).value()->Read(10).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(*store_->Open(sha256, {1'000'000, 10}).value()->Read(10), std::string(10, 'a'));
  ASSERT_TRUE(PutObject(client, "site/sha256/" + sha256, "short").ok());
  EXPECT_EQ(GetBytes(*store_, sha256, 1 << 30).status().code(), absl::StatusCode::kDataLoss);
  // Storing it again heals.
  bytes[2'500'000] = 'a';
  ASSERT_TRUE(PutBytes(*store_, bytes).ok());
  EXPECT_TRUE(*GetBytes(*store_, sha256, 1 << 30) == bytes);
}

TEST_F(S3StoreTest, ChecksARangeByTheWholeWhereTheSumsAreMissing) {
  const std::string bytes(3'000'000, 'a');
  const std::string sha256 = PutBytes(*store_, bytes)->sha256;
  S3Client client(options());
  ASSERT_TRUE(DeleteObject(client, "site/sums/" + sha256).ok());
  EXPECT_EQ(*store_->Open(sha256, {10, 3}).value()->Read(10), "aaa");
  ASSERT_TRUE(PutObject(client, "site/sha256/" + sha256, std::string(3'000'000, 'b')).ok());
  EXPECT_EQ(store_->Open(sha256, {10, 3}).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(S3StoreTest, ADeadRemoversMarkIsTakenAwayAfterItsTime) {
  S3ClientOptions quick = options();
  quick.sleep = [](absl::Duration) {};
  const auto store = OpenS3Store(quick, "site").value();
  S3Client client(options());
  const std::string mark = "site/removing/" + Sha256Hex("bytes");
  ASSERT_TRUE(PutObject(client, mark, "").ok());
  ASSERT_TRUE(PutBytes(*store, "bytes").ok());
  EXPECT_TRUE(absl::IsNotFound(HeadObject(client, mark).status()));
}

TEST_F(S3StoreTest, SaysWhichBucketOrKeyIsWrongAtTheStart) {
  S3ClientOptions wrong = options();
  wrong.bucket = "no-such-bucket";
  const absl::Status bucket = OpenS3Store(wrong, "").status();
  EXPECT_NE(bucket.message().find("no-such-bucket"), absl::string_view::npos) << bucket;
  wrong = options();
  wrong.credentials.secret_key = "wrong";
  EXPECT_TRUE(absl::IsPermissionDenied(OpenS3Store(wrong, "").status()));
}

TEST(S3Config, NamesEveryFaultAtOnce) {
  config::v1::S3Store s3;
  s3.set_endpoint("ftp://x");
  s3.set_prefix("/a b");
  s3.set_attempts(99);
  EXPECT_EQ(FaultsOf(s3).size(), 4u);
  s3.set_endpoint("https://s3.example.com/");
  s3.set_bucket("artifacts");
  s3.set_prefix("team/prod");
  s3.set_attempts(3);
  EXPECT_TRUE(FaultsOf(s3).empty());
  unsetenv("AWS_ACCESS_KEY_ID");
  EXPECT_NE(OpenArtifactStore("", s3).status().message().find("AWS_ACCESS_KEY_ID"),
            absl::string_view::npos);
}

TEST(S3Xml, FindsElementsByTheirWholeName) {
  const char xml[] =
      "<R><CodeName>no</CodeName><Code>a &amp;amp; b</Code><K x=\"1\">1</K><K>2</K></R>";
  EXPECT_EQ(XmlValue(xml, "Code"), "a &amp; b");
  EXPECT_EQ(XmlElements(xml, "K"), (std::vector<absl::string_view>{"1", "2"}));
  EXPECT_EQ(XmlValue(xml, "Missing"), "");
  EXPECT_EQ(XmlValue("<Code>cut", "Code"), "");
}

}  // namespace
}  // namespace switchyard
