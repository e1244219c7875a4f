// An installation whose artifacts are in a bucket: a training's input goes up in parts, its outputs
// come down in ranges, and nothing is written to a folder.
#include <stdlib.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/artifacts/testing/s3_server.h"
#include "common/hash/sha256.h"
#include "common/http/client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/digits.h"

namespace switchyard::e2e {
namespace {

using ::testing::HasSubstr;

std::string ConfigOf(const S3ClientOptions& s3) {
  return absl::StrCat("artifact_s3 { endpoint: '", s3.endpoint, "' bucket: '", s3.bucket,
                      "' prefix: 'e2e' path_style: true }\n");
}

class S3Fleet : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<S3Server>> server = S3Server::Start();
    if (!server.ok() && std::getenv("CI") == nullptr) {
      GTEST_SKIP() << "no S3 server here, NOT TESTED: " << server.status();
    }
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const S3ClientOptions options = server_->options();
    setenv("AWS_ACCESS_KEY_ID", options.credentials.access_key.c_str(), 1);
    setenv("AWS_SECRET_ACCESS_KEY", options.credentials.secret_key.c_str(), 1);
    fleet_ = std::make_unique<Fleet>(FleetOptions{.artifacts = ConfigOf(options)});
    fleet_->Start();
  }

  HttpReply Http(const std::string& verb, const std::string& path, const std::string& body = "",
                 std::map<std::string, std::string> headers = {}) {
    HttpRequest request;
    request.address = fleet_->http();
    request.method = verb;
    request.target = path;
    request.body = body;
    request.headers = std::move(headers);
    const absl::StatusOr<HttpReply> reply = HttpCall(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : HttpReply();
  }

  std::unique_ptr<S3Server> server_;
  std::unique_ptr<Fleet> fleet_;
};

TEST_F(S3Fleet, ATrainingKeepsItsWeightsInTheBucket) {
  MakeDigits(*fleet_);
  const v1::Job trained =
      fleet_->WaitEnded(fleet_->Submit(TrainDigits(*fleet_, 1)).id(), absl::Minutes(4));
  ASSERT_EQ(trained.state(), v1::Job::SUCCEEDED) << trained.message();
  const std::string path = "/api/v1/artifacts/" + trained.train_result().weights_artifact();
  const HttpReply weights = Http("GET", path);
  EXPECT_EQ(weights.status, 200);
  EXPECT_EQ(Sha256Hex(weights.body), trained.train_result().weights_artifact());
  const HttpReply range = Http("GET", path, "", {{"Range", "bytes=100-199"}});
  EXPECT_EQ(range.status, 206);
  EXPECT_EQ(range.body, weights.body.substr(100, 100));
  EXPECT_FALSE(std::filesystem::exists(fleet_->directory() + "/artifacts"));
  EXPECT_EQ(Http("DELETE", path).status, 400) << "the weights of a model";
}

TEST_F(S3Fleet, AnUploadInPartsOutlivesItsGateway) {
  std::string bytes(9'000'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i);
  const std::string path = "/api/v1/artifacts/" + Sha256Hex(bytes), upload = path + "/upload";
  const std::string begin = R"({"sizeBytes": "9000000"})";
  ASSERT_EQ(Http("POST", upload, begin).status, 200);
  ASSERT_EQ(Http("PUT", upload + "/parts/1", bytes.substr(0, 8'388'608)).status, 201);
  fleet_->gateway().Kill();
  fleet_->StartGateway();
  EXPECT_THAT(Http("POST", upload, begin).body, HasSubstr(R"("storedParts":[1])"));
  ASSERT_EQ(Http("PUT", upload + "/parts/2", bytes.substr(8'388'608)).status, 201);
  EXPECT_EQ(Http("POST", upload + ":complete", "{}").status, 200);
  EXPECT_TRUE(Http("GET", path).body == bytes);
  EXPECT_THAT(Http("GET", "/api/v1/artifacts").body, HasSubstr(R"("usedBytes":"9000000")"));
  EXPECT_EQ(Http("DELETE", path).status, 200);
  EXPECT_EQ(Http("GET", path).status, 404);
}

}  // namespace
}  // namespace switchyard::e2e
