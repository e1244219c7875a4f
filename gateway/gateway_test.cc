// The gateway whole, through real sockets, against a fake scheduler over real gRPC.
#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/hash/sha256.h"
#include "gateway/testing/fake_scheduler.h"
#include "gateway/testing/raw_http.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "switchyard/v1/artifact_service.grpc.pb.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "/gateway_XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    ::switchyard::config::v1::GatewayConfig config;
    config.set_http_listen("127.0.0.1:0");
    config.set_grpc_listen("127.0.0.1:0");
    config.add_scheduler(scheduler_.address());
    config.set_artifact_dir(folder_ + "/artifacts");
    config.set_max_json_bytes(100'000);
    config.set_max_artifact_bytes(40'000'000);
    config.set_max_connections(max_connections_);
    auto gateway = Gateway::Start(config, tuning_);
    ASSERT_TRUE(gateway.ok()) << gateway.status();
    gateway_ = *std::move(gateway);
    http_ = gateway_->http_address();
    channel_ = grpc::CreateChannel(gateway_->grpc_address(), grpc::InsecureChannelCredentials());
  }
  void TearDown() override {
    channel_.reset();
    gateway_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Polls, since what happens on the other side of a socket has no other sign.
  template <typename Condition>
  static bool Eventually(Condition condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  GatewayTuning tuning_;
  int max_connections_ = 100;
  std::string folder_;
  FakeScheduler scheduler_;
  std::unique_ptr<Gateway> gateway_;
  std::string http_;
  std::shared_ptr<grpc::Channel> channel_;
};

// Short waits, where a test waits for their end.
class ImpatientGatewayTest : public GatewayTest {
 protected:
  ImpatientGatewayTest() {
    tuning_.heartbeat = absl::Milliseconds(50);
    tuning_.http.head_timeout = std::chrono::milliseconds(200);
    tuning_.http.idle_timeout = std::chrono::milliseconds(200);
    tuning_.http.progress_timeout = std::chrono::milliseconds(200);
    tuning_.http.sweep_interval = std::chrono::milliseconds(20);
  }
};

// The first line that differs, for a failure that can be read.
std::string FirstDifference(const std::string& expected, const std::string& actual) {
  const std::vector<std::string> left = absl::StrSplit(expected, '\n');
  const std::vector<std::string> right = absl::StrSplit(actual, '\n');
  size_t line = 0;
  while (line < left.size() && line < right.size() && left[line] == right[line]) ++line;
  return absl::StrCat("line ", line + 1, ": expected \"", line < left.size() ? left[line] : "",
                      "\", is \"", line < right.size() ? right[line] : "", "\"");
}

// tests/golden/gateway/NAME holds what is expected; SWITCHYARD_UPDATE_GOLDEN=1 writes it anew.
void ExpectGolden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(SWITCHYARD_SOURCE_DIR) + "/tests/golden/gateway/" + name;
  if (std::getenv("SWITCHYARD_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << actual;
  std::stringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_TRUE(expected.str() == actual) << path << ", " << FirstDifference(expected.str(), actual)
                                        << "; SWITCHYARD_UPDATE_GOLDEN=1 takes the new one";
}

// Texts left out: the golden file holds the contract, and comments may be bettered freely.
std::string WithoutTexts(absl::string_view openapi) {
  std::string kept;
  for (const absl::string_view line : absl::StrSplit(openapi, '\n')) {
    const absl::string_view member = absl::StripLeadingAsciiWhitespace(line);
    if (absl::StartsWith(member, "\"description\": \"") ||
        absl::StartsWith(member, "\"summary\": ")) {
      continue;
    }
    absl::StrAppend(&kept, line, "\n");
  }
  return kept;
}

TEST_F(GatewayTest, JsonGoesThereAndBack) {
  const RawResponse answer =
      Call(http_, "POST", "/api/v1/jobs", R"({"priority": 3, "noop": {"payload": "aGk="}})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.headers.at("content-type"), "application/json");
  EXPECT_THAT(answer.body, AllOf(HasSubstr(R"("id":"0job")"), HasSubstr(R"("state":"QUEUED")"),
                                 HasSubstr(R"("noop":{"payload":"aGk=")")));
  EXPECT_EQ(Call(http_, "GET", "/api/v1/jobs").body, R"({"jobs":[]})");
  EXPECT_EQ(Call(http_, "HEAD", "/api/v1/jobs/0job").status, 200);
}

TEST_F(GatewayTest, WritesGetAnIdForIdempotency) {
  Call(http_, "POST", "/api/v1/jobs", R"({"noop": {}})");
  Call(http_, "POST", "/api/v1/jobs", R"({"noop": {}})", "Idempotency-Key: mine\r\n");
  Call(http_, "POST", "/api/v1/jobs?requestId=own", R"({"noop": {}})", "Idempotency-Key: mine\r\n");
  const auto created = scheduler_.created();
  ASSERT_EQ(created.size(), 3u);
  EXPECT_EQ(created[0].request_id().size(), 36u);
  EXPECT_EQ(created[1].request_id(), "mine");
  EXPECT_EQ(created[2].request_id(), "own");
}

TEST_F(GatewayTest, GrpcWritesGetAnIdToo) {
  const auto stub = api::JobService::NewStub(channel_);
  for (const char* id : {"", "own"}) {
    grpc::ClientContext context;
    api::CreateJobRequest request;
    request.mutable_job()->mutable_noop();
    request.set_request_id(id);
    api::Job job;
    const grpc::Status status = stub->CreateJob(&context, request, &job);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(job.id(), "0job");
  }
  EXPECT_EQ(scheduler_.created()[0].request_id().size(), 36u);
  EXPECT_EQ(scheduler_.created()[1].request_id(), "own");
}

TEST_F(GatewayTest, AWriteIsRepeatedUntilTheSchedulerTakesIt) {
  scheduler_.FailCreates(3);
  EXPECT_EQ(Call(http_, "POST", "/api/v1/jobs", R"({"noop": {}})").status, 201);
  scheduler_.FailCreates(3);
  grpc::ClientContext context;
  api::Job job;
  EXPECT_TRUE(api::JobService::NewStub(channel_)->CreateJob(&context, {}, &job).ok());
  EXPECT_EQ(scheduler_.created().size(), 2u);
}

TEST_F(GatewayTest, CallsAreHeldOverARestart) {
  ASSERT_EQ(Call(http_, "GET", "/api/v1/jobs/0job").status, 200);
  scheduler_.Stop();
  std::thread back([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    scheduler_.Start();
  });
  EXPECT_EQ(Call(http_, "GET", "/api/v1/jobs/0job").status, 200);
  back.join();
}

TEST_F(GatewayTest, ADeadlineEndsTheHold) {
  scheduler_.Stop();
  const auto begin = std::chrono::steady_clock::now();
  const RawResponse answer = Call(http_, "GET", "/api/v1/jobs/0job", "", "Grpc-Timeout: 200m\r\n");
  EXPECT_THAT(answer.status, ::testing::AnyOf(503, 504));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(GatewayTest, AClientThatLeavesCancelsItsCall) {
  RawClient client(http_);
  client.Send("GET /api/v1/jobs/held HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  client.Close();
  EXPECT_TRUE(Eventually([&] { return scheduler_.abandoned() == 1; }));
}

TEST_F(GatewayTest, ErrorsAreProblems) {
  std::string all;
  const auto add = [&](absl::string_view verb, absl::string_view target,
                       absl::string_view body = "") {
    const RawResponse answer = Call(http_, verb, target, body);
    EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
    absl::StrAppend(&all, verb, " ", target, " ", body, "\n", answer.status);
    for (const char* name : {"allow", "retry-after"}) {
      if (answer.headers.count(name) > 0)
        absl::StrAppend(&all, " ", name, ": ", answer.headers.at(name));
    }
    absl::StrAppend(&all, "\n", answer.body, "\n\n");
  };
  add("GET", "/api/v1/jobs/none");
  add("GET", "/api/v1/jobs/busy");
  add("GET", "/api/v1/nothing");
  add("PUT", "/api/v1/jobs");
  add("POST", "/healthz");
  add("POST", "/api/v1/jobs", R"({"priority": 10})");
  add("POST", "/api/v1/jobs", R"({"priority": "high", "color": "red"})");
  add("POST", "/api/v1/jobs", R"({"priority": 3,})");
  add("POST", "/api/v1/jobs", R"({"priority": 3, "priority": 4})");
  add("GET", "/api/v1/jobs?pageSize=many");
  add("GET", "/api/v1/jobs/%zz");
  add("GET", "/api/v1/queue");
  add("GET", "/api/v1/artifacts/abc");
  add("POST", "/api/v1/jobs", std::string(100'001, ' '));
  ExpectGolden("problems.txt",
               absl::StrReplaceAll(all, {{std::string(100'001, ' '), "(100001 spaces)"}}));
}

TEST_F(GatewayTest, OpenApiIsWhatItWas) {
  const RawResponse answer = Call(http_, "GET", "/openapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("\"description\": \"Accepts one job."));
  ExpectGolden("openapi_shape.txt", WithoutTexts(answer.body));
}

TEST_F(GatewayTest, EventsComeAsServerSentEvents) {
  RawClient client(http_);
  client.Send("GET /api/v1/jobs/0job/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const RawResponse answer = client.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(answer.headers.at("cache-control"), "no-cache");
  EXPECT_EQ(answer.headers.at("x-accel-buffering"), "no");
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(answer.body,
              StartsWith("retry: 2000\n\nid: 1.1.1\nevent: metric\ndata: {\"id\":\"1.1.1\""));
  EXPECT_THAT(answer.body, HasSubstr("id: 1.1.4\n"));
  // The connection is as good as before.
  client.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 200);
}

TEST_F(GatewayTest, LastEventIdResumes) {
  const RawResponse answer =
      Call(http_, "GET", "/api/v1/jobs/0job/events", "", "Last-Event-ID: 1.1.3\r\n");
  EXPECT_THAT(answer.body, AllOf(HasSubstr("id: 1.1.4\n"), Not(HasSubstr("id: 1.1.3\n"))));
}

TEST_F(GatewayTest, ABrokenEventStreamIsTakenUpWhereItBroke) {
  const RawResponse answer = Call(http_, "GET", "/api/v1/jobs/broken/events");
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(scheduler_.watched_from(), ElementsAre("", "1.1.2"));
  for (const char* id : {"id: 1.1.1\n", "id: 1.1.2\n", "id: 1.1.3\n", "id: 1.1.4\n"}) {
    const size_t first = answer.body.find(id);
    EXPECT_NE(first, std::string::npos) << id;
    EXPECT_EQ(answer.body.find(id, first + 1), std::string::npos) << id;
  }
}

TEST_F(GatewayTest, EventsOfAnUnknownJobAre404) {
  EXPECT_EQ(Call(http_, "GET", "/api/v1/jobs/unknown/events").status, 404);
}

TEST_F(GatewayTest, EventsComeByLinesWhenAskedFor) {
  const RawResponse answer =
      Call(http_, "GET", "/api/v1/jobs/0job/events", "", "Accept: application/x-ndjson\r\n");
  EXPECT_EQ(answer.headers.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 4);
  EXPECT_THAT(answer.body, StartsWith("{\"id\":\"1.1.1\""));
}

TEST_F(GatewayTest, AWatcherThatLeavesCancelsTheStream) {
  RawClient client(http_);
  client.Send("GET /api/v1/jobs/endless/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReceiveUntil("id: 1.1.4"), HasSubstr("id: 1.1.4"));
  client.Close();
  EXPECT_TRUE(Eventually([&] { return scheduler_.abandoned() == 1; }));
}

TEST_F(GatewayTest, ArtifactsGoUpAndDown) {
  std::string bytes(2'500'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i);
  const std::string hash = Sha256Hex(bytes);
  const std::string path = "/api/v1/artifacts/" + hash;
  EXPECT_EQ(Call(http_, "GET", path).status, 404);
  const RawResponse put = Call(http_, "PUT", path + "?media_type=image/png", bytes);
  EXPECT_EQ(put.status, 201) << put.body;
  EXPECT_THAT(put.body, HasSubstr(R"("sizeBytes":"2500000")"));
  const RawResponse get = Call(http_, "GET", path);
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.headers.at("content-type"), "image/png");
  EXPECT_EQ(get.headers.at("content-length"), "2500000");
  EXPECT_EQ(get.headers.at("content-disposition"), "attachment");
  EXPECT_TRUE(get.body == bytes);
}

TEST_F(GatewayTest, AnEmptyArtifactIsOneToo) {
  const std::string path = "/api/v1/artifacts/" + Sha256Hex("");
  EXPECT_EQ(Call(http_, "PUT", path).status, 201);
  const RawResponse get = Call(http_, "GET", path);
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.headers.at("content-length"), "0");
}

TEST_F(GatewayTest, BytesOfAnotherHashAreRefused) {
  const RawResponse put = Call(http_, "PUT", "/api/v1/artifacts/" + Sha256Hex("a"), "b");
  EXPECT_EQ(put.status, 400);
  EXPECT_THAT(put.body, HasSubstr("HASH_MISMATCH"));
}

TEST_F(GatewayTest, RangesAndTagsOfArtifacts) {
  std::string bytes(2'500'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i);
  const std::string hash = Sha256Hex(bytes), tag = "\"" + hash + "\"";
  const std::string path = "/api/v1/artifacts/" + hash;
  // Nobody learns from a tag what exists.
  EXPECT_EQ(Call(http_, "GET", path, "", "If-None-Match: " + tag + "\r\n").status, 404);
  ASSERT_EQ(Call(http_, "PUT", path, bytes).status, 201);
  const RawResponse part = Call(http_, "GET", path, "", "Range: bytes=1500000-1500009\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.headers.at("content-range"), "bytes 1500000-1500009/2500000");
  EXPECT_EQ(part.headers.at("content-length"), "10");
  EXPECT_EQ(part.headers.at("etag"), tag);
  EXPECT_EQ(part.body, bytes.substr(1'500'000, 10));
  EXPECT_EQ(Call(http_, "GET", path, "", "Range: bytes=-3\r\n").body, bytes.substr(2'499'997));
  const RawResponse rest = Call(http_, "GET", path, "", "Range: bytes=400000-\r\n");
  EXPECT_TRUE(rest.body == bytes.substr(400'000));
  const RawResponse behind = Call(http_, "GET", path, "", "Range: bytes=2500000-\r\n");
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(behind.headers.at("content-range"), "bytes */2500000");
  const RawResponse other =
      Call(http_, "GET", path, "", "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n");
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(other.headers.at("accept-ranges"), "bytes");
  const RawResponse known = Call(http_, "GET", path, "", "If-None-Match: " + tag + "\r\n");
  EXPECT_EQ(known.status, 304);
  EXPECT_EQ(known.headers.at("etag"), tag);
  EXPECT_EQ(known.body, "");
}

TEST_F(GatewayTest, AnUploadInPartsGoesOnWhereItWas) {
  std::string bytes(20'000'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i);
  const std::string hash = Sha256Hex(bytes);
  const std::string path = "/api/v1/artifacts/" + hash, upload = path + "/upload";
  const std::string begin = R"({"sizeBytes": "20000000", "mediaType": "image/png"})";
  EXPECT_EQ(Call(http_, "PUT", upload + "/parts/1", "x").status, 404);
  const RawResponse begun = Call(http_, "POST", upload, begin);
  EXPECT_EQ(begun.status, 200) << begun.body;
  EXPECT_THAT(begun.body, HasSubstr(R"("partBytes":"8388608","parts":3,"storedParts":[])"));
  const auto put = [&](uint32_t part) {
    return Call(http_, "PUT", absl::StrCat(upload, "/parts/", part),
                bytes.substr((part - 1) * 8'388'608, 8'388'608));
  };
  EXPECT_EQ(put(1).status, 201);
  EXPECT_EQ(put(3).status, 201);
  const RawResponse early = Call(http_, "POST", upload + ":complete", "{}");
  EXPECT_EQ(early.status, 400);
  EXPECT_THAT(early.body, HasSubstr("PARTS_MISSING"));
  // One that breaks off leaves no part.
  {
    RawClient client(http_);
    client.Send(absl::StrCat("PUT ", upload, "/parts/2 HTTP/1.1\r\nHost: localhost\r\n",
                             "Content-Length: 8388608\r\n\r\n", bytes.substr(0, 100'000)));
    client.Close();
  }
  // Another client, which knows nothing but the file.
  EXPECT_THAT(Call(http_, "POST", upload, begin).body, HasSubstr(R"("storedParts":[1,3])"));
  EXPECT_TRUE(Eventually([&] { return put(2).status == 201; }));
  const RawResponse whole = Call(http_, "POST", upload + ":complete", "{}");
  EXPECT_EQ(whole.status, 200) << whole.body;
  EXPECT_THAT(whole.body, HasSubstr(R"("mediaType":"image/png")"));
  EXPECT_TRUE(Call(http_, "GET", path).body == bytes);
  // Repeats after a lost answer find what is there.
  EXPECT_EQ(Call(http_, "POST", upload + ":complete", "{}").status, 200);
  EXPECT_THAT(Call(http_, "POST", upload, begin).body, HasSubstr(R"("artifact":{)"));
}

TEST_F(GatewayTest, AnUploadWithoutRoomIsRefusedBeforeItsBytes) {
  const std::string path = "/api/v1/artifacts/" + Sha256Hex("large");
  const RawResponse begun = Call(http_, "POST", path + "/upload", R"({"sizeBytes": 31000000})");
  EXPECT_EQ(begun.status, 429);
  EXPECT_THAT(begun.body, HasSubstr("ARTIFACT_QUOTA"));
  EXPECT_EQ(Call(http_, "PUT", path, std::string(31'000'000, 'x')).status, 429);
  EXPECT_EQ(Call(http_, "POST", path + "/upload", R"({"sizeBytes": 41000000})").status, 413);
  EXPECT_EQ(Call(http_, "POST", path + "/upload", "{}").status, 400);
  ASSERT_EQ(Call(http_, "POST", path + "/upload", R"({"sizeBytes": 10})").status, 200);
  EXPECT_EQ(Call(http_, "DELETE", path + "/upload").status, 200);
  EXPECT_EQ(Call(http_, "PUT", path + "/upload/parts/1", "0123456789").status, 404);
}

TEST_F(GatewayTest, ExpectationIsMetBeforeTheBody) {
  RawClient client(http_);
  client.Send(absl::StrCat(
      "PUT /api/v1/artifacts/", Sha256Hex("hi"),
      " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 100);
  client.Send("hi");
  EXPECT_EQ(client.Receive().status, 201);
}

TEST_F(GatewayTest, BodiesTooLargeAreRefusedFromTheirHeaders) {
  for (const char* head :
       {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n",
        "PUT /api/v1/artifacts/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
        "1000000000\r\nExpect: 100-continue\r\n\r\n"}) {
    RawClient client(http_);
    client.Send(head);
    EXPECT_EQ(client.Receive().status, 413) << head;
  }
  // Chunked bodies are counted.
  RawClient client(http_);
  client.Send(
      "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = absl::StrCat("ea60\r\n", std::string(60'000, ' '), "\r\n");
  client.Send(chunk + chunk);
  EXPECT_EQ(client.Receive().status, 413);
}

TEST_F(GatewayTest, ArtifactsGoOverGrpcToo) {
  const auto stub = api::ArtifactService::NewStub(channel_);
  {
    grpc::ClientContext context;
    api::Artifact artifact;
    auto writer = stub->PutArtifact(&context, &artifact);
    api::PutArtifactRequest piece;
    piece.set_sha256(Sha256Hex("hello"));
    piece.set_data("hel");
    writer->Write(piece);
    piece.Clear();
    piece.set_data("lo");
    writer->Write(piece);
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(artifact.size_bytes(), 5);
  }
  grpc::ClientContext context;
  api::GetArtifactRequest request;
  request.set_sha256(Sha256Hex("hello"));
  auto reader = stub->GetArtifact(&context, request);
  api::GetArtifactResponse piece;
  ASSERT_TRUE(reader->Read(&piece));
  EXPECT_EQ(piece.data(), "hello");
  EXPECT_FALSE(reader->Read(&piece));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(GatewayTest, GrpcStreamsPassThrough) {
  grpc::ClientContext context;
  api::WatchJobRequest request;
  request.set_job("0job");
  const auto stub = api::JobService::NewStub(channel_);
  auto reader = stub->WatchJob(&context, request);
  api::JobEvent event;
  int count = 0;
  while (reader->Read(&event)) ++count;
  EXPECT_EQ(count, 4);
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(GatewayTest, GrpcErrorsKeepTheirDetails) {
  grpc::ClientContext context;
  api::GetJobRequest request;
  request.set_job("none");
  api::Job job;
  const grpc::Status status = api::JobService::NewStub(channel_)->GetJob(&context, request, &job);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_details(), HasSubstr("JOB_NOT_FOUND"));
}

TEST_F(GatewayTest, ACancelledGrpcStreamCancelsOnwards) {
  grpc::ClientContext context;
  api::WatchJobRequest request;
  request.set_job("endless");
  const auto stub = api::JobService::NewStub(channel_);
  auto reader = stub->WatchJob(&context, request);
  api::JobEvent event;
  ASSERT_TRUE(reader->Read(&event));
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Eventually([&] { return scheduler_.abandoned() == 1; }));
}

TEST_F(GatewayTest, InternalServicesAreNotOffered) {
  grpc::ClientContext context;
  api::Artifact artifact;
  const auto stub = ::switchyard::worker::v1::ArtifactReferenceService::NewStub(channel_);
  EXPECT_EQ(stub->LookupArtifact(&context, {}, &artifact).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GatewayTest, ReflectionTellsOfPublicServicesOnly) {
  using grpc::reflection::v1alpha::ServerReflectionRequest;
  using grpc::reflection::v1alpha::ServerReflectionResponse;
  grpc::TemplatedGenericStub<ServerReflectionRequest, ServerReflectionResponse> stub(channel_);
  grpc::CompletionQueue queue;
  const auto wait = [&queue] {
    void* tag;
    bool ok;
    return queue.Next(&tag, &ok) && ok;
  };
  grpc::ClientContext context;
  auto call = stub.Call(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                        &queue, nullptr);
  ASSERT_TRUE(wait());
  ServerReflectionRequest request;
  ServerReflectionResponse response;
  const auto ask = [&] {
    call->Write(request, nullptr);
    EXPECT_TRUE(wait());
    call->Read(&response, nullptr);
    EXPECT_TRUE(wait());
  };
  request.set_list_services("");
  ask();
  EXPECT_THAT(response.DebugString(),
              AllOf(HasSubstr("switchyard.v1.JobService"), HasSubstr("grpc.health.v1.Health"),
                    Not(HasSubstr("switchyard.worker"))));
  request.set_file_containing_symbol("switchyard.v1.JobService");
  ask();
  EXPECT_GT(response.file_descriptor_response().file_descriptor_proto_size(), 5);
  request.set_file_containing_symbol("switchyard.worker.v1.WorkerService");
  ask();
  EXPECT_TRUE(response.has_error_response());
  context.TryCancel();
}

TEST_F(GatewayTest, TracesAndRequestIdsTravel) {
  const RawResponse answer =
      Call(http_, "POST", "/api/v1/jobs", "{}",
           "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX-Request-Id: "
           "me\r\n");
  EXPECT_EQ(answer.headers.at("x-request-id"), "me");
  EXPECT_THAT(scheduler_.traceparents(),
              ElementsAre(StartsWith("00-0af7651916cd43dd8448eb211c80319c-")));
}

TEST_F(GatewayTest, AuthorizationTravelsThroughBothDoorsAndInStreams) {
  const std::string header = "Authorization: Bearer secret\r\n";
  Call(http_, "POST", "/api/v1/jobs", R"({"noop": {}})");
  Call(http_, "POST", "/api/v1/jobs", R"({"noop": {}})", header);
  // The stream is taken up again after 2 events: with the same token.
  Call(http_, "GET", "/api/v1/jobs/broken/events", "", header);
  const auto stub = api::JobService::NewStub(channel_);
  {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer grpc");
    api::CreateJobRequest request;
    request.mutable_job()->mutable_noop();
    api::Job job;
    ASSERT_TRUE(stub->CreateJob(&context, request, &job).ok());
  }
  {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer stream");
    api::WatchJobRequest request;
    request.set_job("0job");
    auto reader = stub->WatchJob(&context, request);
    api::JobEvent event;
    while (reader->Read(&event)) {
    }
    EXPECT_TRUE(reader->Finish().ok());
  }
  const std::string bytes = "artifact";
  EXPECT_EQ(Call(http_, "PUT", "/api/v1/artifacts/" + Sha256Hex(bytes), bytes, header).status, 201);
  EXPECT_THAT(scheduler_.authorizations(),
              ElementsAre("", "Bearer secret", "Bearer secret", "Bearer secret", "Bearer grpc",
                          "Bearer stream", "Bearer secret"));
}

TEST_F(GatewayTest, HeadersThatCannotBeMetadataDoNotEndTheGateway) {
  EXPECT_EQ(
      Call(http_, "POST", "/api/v1/jobs", R"({"noop": {}})", "Authorization: Bearer \xff\x80\r\n")
          .status,
      201);
  EXPECT_EQ(Call(http_, "POST", "/api/v1/jobs", R"({"noop": {}})",
                 "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
                 "tracestate: a=\xff\r\n")
                .status,
            201);
  EXPECT_THAT(scheduler_.authorizations(), ElementsAre("Bearer ??", ""));
}

TEST_F(GatewayTest, BrowsersOfElsewhereAreRefused) {
  EXPECT_EQ(Call(http_, "GET", "/api/v1/jobs", "", "Origin: http://evil.example\r\n").status, 403);
  EXPECT_EQ(Call(http_, "POST", "/api/v1/jobs", "{}",
                 "Sec-Fetch-Site: same-origin\r\nContent-Type: text/plain\r\n")
                .status,
            403);
  RawClient client(http_);
  client.Send("GET /api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 403);
}

TEST_F(GatewayTest, MalformedRequestsAreAnsweredAndTheConnectionEnds) {
  struct Case {
    const char* bytes;
    int status;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x01z\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: localhost\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: "
       "chunked\r\n\r\n{}",
       400},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
       "chunked\r\nContent-Length: 2\r\n\r\n{}",
       400},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: "
       "3\r\n\r\n{}",
       400},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: "
       "2\r\n\r\n{}",
       400},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -2\r\n\r\n{}", 400},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
       "99999999999999999999999\r\n\r\n{}",
       400},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       400},
      {"hello\r\n\r\n", 400},
  };
  for (const Case& each : cases) {
    RawClient client(http_);
    client.Send(each.bytes);
    EXPECT_EQ(client.Receive().status, each.status) << each.bytes;
    EXPECT_TRUE(client.Closed()) << each.bytes;
  }
  RawClient client(http_);
  client.Send(absl::StrCat("GET / HTTP/1.1\r\nHost: localhost\r\nX: ", std::string(40'000, 'a'),
                           "\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 431);
}

TEST_F(GatewayTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client(http_);
  client.Send(
      "GET /api/v1/jobs/0job HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.Receive().body, HasSubstr("0job"));
  EXPECT_EQ(client.Receive().body, "ok\n");
}

TEST_F(GatewayTest, PagesNeedNothingFromElsewhere) {
  for (const char* path : {"/", "/docs", "/docs.js", "/queue", "/queue.js", "/style.css"}) {
    const RawResponse answer = Call(http_, "GET", path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("https://"))) << path;
    EXPECT_THAT(answer.headers.at("content-security-policy"), HasSubstr("default-src 'self'"));
  }
}

TEST_F(GatewayTest, HealthReadinessAndMetrics) {
  EXPECT_EQ(Call(http_, "GET", "/healthz").body, "ok\n");
  EXPECT_TRUE(Eventually([&] { return Call(http_, "GET", "/readyz").status == 200; }));
  Call(http_, "GET", "/api/v1/jobs/0job");
  // A request is counted when it is over, which is after its caller has read the answer.
  const absl::string_view counted =
      "switchyard_gateway_http_requests_total{code=\"200\",method=\"GET\","
      "route=\"/api/v1/jobs/{job}\"} 1";
  EXPECT_TRUE(
      Eventually([&] { return absl::StrContains(Call(http_, "GET", "/metrics").body, counted); }));
}

TEST_F(GatewayTest, StoppingEndsEndlessStreamsAndRefusesNewConnections) {
  RawClient watcher(http_);
  watcher.Send("GET /api/v1/jobs/endless/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  watcher.ReceiveUntil("id: 1.1.4");
  const auto begin = std::chrono::steady_clock::now();
  gateway_->Stop(std::chrono::seconds(10));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_TRUE(watcher.Closed());
}

TEST_F(ImpatientGatewayTest, QuietStreamsGetHeartbeats) {
  RawClient client(http_);
  client.Send("GET /api/v1/jobs/endless/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReceiveUntil(": heartbeat\n\n"), HasSubstr(": heartbeat\n\n"));
}

TEST_F(ImpatientGatewayTest, SlowHeadsBodiesAndIdleConnectionsEnd) {
  for (const char* begun :
       {"", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n",
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"}) {
    RawClient client(http_);
    client.Send(begun);
    EXPECT_TRUE(client.Closed()) << begun;
  }
}

class CrowdedGatewayTest : public GatewayTest {
 protected:
  CrowdedGatewayTest() { max_connections_ = 2; }
};

TEST_F(CrowdedGatewayTest, ConnectionsOverTheLimitAreToldSo) {
  RawClient first(http_);
  RawClient second(http_);
  for (RawClient* client : {&first, &second}) {
    client->Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(client->Receive().status, 200);
  }
  RawClient third(http_);
  const RawResponse answer = third.Receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.whole);
  first.Close();
  EXPECT_TRUE(Eventually([&] { return Call(http_, "GET", "/healthz").status == 200; }));
}

TEST_F(GatewayTest, EveryReferenceInOpenApiLeadsSomewhere) {
  const boost::json::value document = boost::json::parse(Call(http_, "GET", "/openapi.json").body);
  const auto& components = document.at("components").as_object();
  std::vector<const boost::json::value*> open = {&document};
  std::set<std::string> operations;
  while (!open.empty()) {
    const boost::json::value& value = *open.back();
    open.pop_back();
    if (value.is_array()) {
      for (const auto& element : value.get_array()) open.push_back(&element);
    } else if (value.is_object()) {
      for (const auto& member : value.get_object()) {
        open.push_back(&member.value());
        if (member.key() == "operationId") {
          EXPECT_TRUE(operations.insert(std::string(member.value().as_string())).second);
        }
        if (member.key() != "$ref") continue;
        const std::vector<std::string> parts =
            absl::StrSplit(std::string(member.value().as_string()), '/');
        ASSERT_EQ(parts.size(), 4u);
        EXPECT_TRUE(components.at(parts[2]).as_object().contains(parts[3])) << parts[3];
      }
    }
  }
  EXPECT_GT(operations.size(), 15u);
}

TEST(GatewayConfig, NamesEveryFaultAtOnce) {
  ::switchyard::config::v1::GatewayConfig config;
  config.set_http_listen("0.0.0.0:80");
  config.set_grpc_listen("nonsense");
  const auto gateway = Gateway::Start(config);
  EXPECT_THAT(std::string(gateway.status().message()),
              AllOf(HasSubstr("http_listen"), HasSubstr("grpc_listen"), HasSubstr("scheduler"),
                    HasSubstr("artifact_dir")));
}

}  // namespace
}  // namespace switchyard::gateway
