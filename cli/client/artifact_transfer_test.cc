// Transfers against a service that breaks off: in process, over real gRPC.
#include "cli/client/artifact_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "grpcpp/grpcpp.h"

namespace switchyard::cli {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kPart = 1'000'000;

// Keeps parts in memory. Calls break off with UNAVAILABLE as often as asked for.
class BreakingService final : public v1::ArtifactService::Service {
 public:
  grpc::Status BeginUpload(grpc::ServerContext*, const v1::BeginUploadRequest* request,
                           v1::ArtifactUpload* upload) override {
    upload->set_sha256(request->sha256());
    upload->set_size_bytes(request->size_bytes());
    upload->set_part_bytes(kPart);
    upload->set_parts(static_cast<uint32_t>((request->size_bytes() + kPart - 1) / kPart));
    for (const auto& [part, bytes] : parts) upload->add_stored_parts(part);
    return Break(&begins_to_break);
  }
  grpc::Status PutPart(grpc::ServerContext*, grpc::ServerReader<v1::PutPartRequest>* reader,
                       v1::ArtifactPart* response) override {
    v1::PutPartRequest piece;
    std::string bytes;
    uint32_t part = 0;
    while (reader->Read(&piece)) {
      if (piece.part() != 0) part = piece.part();
      bytes += piece.data();
      if (grpc::Status broken = Break(&parts_to_break); !broken.ok()) return broken;
    }
    parts[part] = bytes;
    sent.push_back(part);
    response->set_part(part);
    return grpc::Status::OK;
  }
  grpc::Status CompleteUpload(grpc::ServerContext*, const v1::CompleteUploadRequest* request,
                              v1::Artifact* artifact) override {
    artifact->set_sha256(request->sha256());
    return Break(&completions_to_break);
  }
  grpc::Status GetArtifact(grpc::ServerContext*, const v1::GetArtifactRequest* request,
                           grpc::ServerWriter<v1::GetArtifactResponse>* writer) override {
    std::string all;
    for (const auto& [part, bytes] : parts) all += bytes;
    offsets.push_back(request->offset_bytes());
    const auto offset = static_cast<size_t>(request->offset_bytes());
    if (offset > 0 && offset >= all.size()) {
      return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "behind the end");
    }
    for (size_t at = offset; at < all.size(); at += 300'000) {
      v1::GetArtifactResponse piece;
      piece.set_data(all.substr(at, 300'000));
      writer->Write(piece);
      if (grpc::Status broken = Break(&downloads_to_break); !broken.ok()) return broken;
    }
    return grpc::Status::OK;
  }

  std::map<uint32_t, std::string> parts;
  std::vector<uint32_t> sent;
  std::vector<int64_t> offsets;
  int begins_to_break = 0, parts_to_break = 0, completions_to_break = 0, downloads_to_break = 0;

 private:
  static grpc::Status Break(int* count) {
    if (*count == 0) return grpc::Status::OK;
    --*count;
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken off");
  }
};

class ArtifactTransferTest : public testing::Test {
 protected:
  ArtifactTransferTest() : file_(absl::StrCat(testing::TempDir(), "/transfer.", getpid())) {
    for (int i = 0; bytes_.size() < 9'500'000; ++i) absl::StrAppend(&bytes_, i, ",");
    std::ofstream(file_) << bytes_;
  }
  ~ArtifactTransferTest() override { std::filesystem::remove(file_); }

  absl::StatusOr<v1::Artifact> Put() {
    return transfer_.Put(file_, Sha256Hex(bytes_), "", [this](int64_t sent) {
      EXPECT_GE(sent, progress_);
      progress_ = sent;
    });
  }
  absl::Status Get(const std::string& sha256) {
    got_.clear();
    return transfer_.Get(sha256, [this](const v1::GetArtifactResponse& piece) {
      got_ += piece.data();
      return absl::OkStatus();
    });
  }

  std::unique_ptr<grpc::Server> Serve() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    return builder.BuildAndStart();
  }

  const std::string file_;
  BreakingService service_;
  const std::unique_ptr<grpc::Server> server_ = Serve();
  const std::unique_ptr<v1::ArtifactService::Stub> stub_ =
      v1::ArtifactService::NewStub(server_->InProcessChannel({}));
  std::string bytes_, got_;
  int64_t progress_ = 0;
  int pauses_ = 0;
  ArtifactTransfer transfer_{*stub_, [](grpc::ClientContext&) {},
                             [this](absl::Duration) { ++pauses_; }};
};

TEST_F(ArtifactTransferTest, SendsOnlyThePartsThatAreMissing) {
  for (const uint32_t part : {1u, 2u, 4u}) {
    service_.parts[part] = bytes_.substr((part - 1) * kPart, kPart);
  }
  ASSERT_TRUE(Put().ok());
  EXPECT_THAT(service_.sent, ElementsAre(3, 5, 6, 7, 8, 9, 10));
  std::string all;
  for (const auto& [part, bytes] : service_.parts) all += bytes;
  EXPECT_TRUE(all == bytes_);
  EXPECT_EQ(progress_, static_cast<int64_t>(bytes_.size()));
  EXPECT_EQ(pauses_, 0);
}

TEST_F(ArtifactTransferTest, GoesOnAfterBreaksEverywhere) {
  service_.begins_to_break = 2;
  service_.parts_to_break = 3;
  service_.completions_to_break = 2;
  ASSERT_TRUE(Put().ok());
  EXPECT_EQ(pauses_, 7);
  EXPECT_EQ(service_.sent.size(), 10u) << "no part was sent twice";
}

TEST_F(ArtifactTransferTest, GivesUpWhenNothingGetsAnyFurther) {
  service_.begins_to_break = 1000;
  EXPECT_TRUE(absl::IsUnavailable(Put().status()));
  EXPECT_EQ(pauses_, 8);
}

TEST_F(ArtifactTransferTest, FetchesTheRestAfterABreakAndChecksTheWhole) {
  ASSERT_TRUE(Put().ok());
  service_.downloads_to_break = 5;
  const absl::Status status = Get(Sha256Hex(bytes_));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(got_ == bytes_);
  EXPECT_THAT(service_.offsets, ElementsAre(0, 300'000, 600'000, 900'000, 1'200'000, 1'500'000));
  service_.parts[5][17] ^= 1;
  EXPECT_EQ(Get(Sha256Hex(bytes_)).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace switchyard::cli
