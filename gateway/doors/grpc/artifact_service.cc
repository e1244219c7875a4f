#include "gateway/doors/grpc/artifact_service.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "gateway/upstream/held_unary.h"
#include "gateway/upstream/message_bytes.h"
#include "switchyard/worker/v1/artifact_reference_service.pb.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;
namespace internal = ::switchyard::worker::v1;
using boost::asio::thread_pool;

constexpr int64_t kPieceBytes = 256 * 1024;
constexpr absl::Duration kReferenceDeadline = absl::Seconds(30);

// What both directions lean on.
struct Backend {
  ArtifactServiceOptions options;
  ArtifactStore* store;
  Upstream& upstream;
  thread_pool disk;
};

absl::Status BadHash() {
  return InvalidField("sha256", "64 lower-case hexadecimal digits are expected");
}

CallInfo ReferenceCall(const char* method, const grpc::CallbackServerContext& from) {
  const auto value = [&from](const char* name) {
    const auto found = from.client_metadata().find(name);
    if (found == from.client_metadata().end()) return std::string();
    return std::string(found->second.data(), found->second.size());
  };
  return {.method = absl::StrCat("/switchyard.worker.v1.ArtifactReferenceService/", method),
          .deadline = absl::Now() + kReferenceDeadline,
          .traceparent = value("traceparent"),
          .tracestate = value("tracestate"),
          .request_id = value("x-request-id"),
          .authorization = value("authorization")};
}

// The answer of a reference call; both may be repeated without harm.
grpc::Status ReadArtifact(const grpc::Status& status, HeldUnary& call, api::Artifact* artifact) {
  if (!status.ok()) return status;
  const auto message = FromBytes(call.response(), api::Artifact::default_instance());
  if (!message.ok()) return ToGrpc(message.status());
  artifact->CopyFrom(**message);
  return status;
}

// An upload. Deletes itself. In every step Finish or StartRead comes last: the object may be gone
// after it.
class PutCall final : public grpc::ServerReadReactor<api::PutArtifactRequest> {
 public:
  PutCall(Backend* backend, const grpc::CallbackServerContext& context, api::Artifact* response)
      : backend_(backend),
        response_(response),
        record_(backend->upstream, ReferenceCall("RecordArtifact", context)) {
    StartRead(&piece_);
  }

  void OnReadDone(bool ok) override {
    boost::asio::post(backend_->disk, [this, ok] { ok ? Take() : End(); });
  }
  void OnDone() override { delete this; }

 private:
  void Take() {
    if (absl::Status status = TakePiece(); !status.ok()) return Finish(ToGrpc(status));
    StartRead(&piece_);
  }

  absl::Status TakePiece() {
    if (writer_ == nullptr) {
      if (!IsSha256Hex(piece_.sha256())) return BadHash();
      sha256_ = piece_.sha256();
      media_type_ = piece_.media_type().empty() ? "application/octet-stream" : piece_.media_type();
      absl::StatusOr<std::unique_ptr<ArtifactWriter>> writer = backend_->store->Create();
      if (!writer.ok()) return writer.status();
      writer_ = *std::move(writer);
    }
    size_bytes_ += piece_.data().size();
    if (size_bytes_ > backend_->options.max_artifact_bytes) return TooLarge();
    return piece_.data().empty() ? absl::OkStatus() : writer_->Append(piece_.data());
  }

  absl::Status TooLarge() const {
    const std::string limit = absl::StrCat(backend_->options.max_artifact_bytes);
    return MakeError(absl::StatusCode::kResourceExhausted, "BODY_TOO_LARGE",
                     absl::StrCat("the artifact is larger than ", limit, " bytes"),
                     {{"max_bytes", limit}});
  }

  // The caller has sent all, or went away: then the hash is not the one it named, and nothing is
  // kept.
  void End() {
    if (writer_ == nullptr) return Finish(ToGrpc(BadHash()));
    const absl::StatusOr<ArtifactInfo> info = writer_->Finish(sha256_);
    if (!info.ok()) return Finish(ToGrpc(info.status()));
    internal::RecordArtifactRequest reference;
    auto* artifact = reference.mutable_artifact();
    artifact->set_sha256(info->sha256);
    artifact->set_size_bytes(info->size_bytes);
    artifact->set_media_type(media_type_);
    record_.Start(ToBytes(reference), /*repeatable=*/true, [this](const grpc::Status& status) {
      Finish(ReadArtifact(status, record_, response_));
    });
  }

  Backend* const backend_;
  api::Artifact* const response_;
  api::PutArtifactRequest piece_;
  std::unique_ptr<ArtifactWriter> writer_;
  std::string sha256_;
  std::string media_type_;
  uint64_t size_bytes_ = 0;
  HeldUnary record_;
};

// A download. Deletes itself.
class GetCall final : public grpc::ServerWriteReactor<api::GetArtifactResponse> {
 public:
  GetCall(Backend* backend, const grpc::CallbackServerContext& context,
          const api::GetArtifactRequest& request)
      : backend_(backend), lookup_(backend->upstream, ReferenceCall("LookupArtifact", context)) {
    if (!IsSha256Hex(request.sha256())) {
      Finish(ToGrpc(BadHash()));
      return;
    }
    reference_.set_sha256(request.sha256());
    lookup_.Start(ToBytes(reference_), /*repeatable=*/true, [this](const grpc::Status& status) {
      OnReference(ReadArtifact(status, lookup_, &artifact_));
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the caller went away"));
    boost::asio::post(backend_->disk, [this] { Next(); });
  }
  void OnDone() override { delete this; }

 private:
  void OnReference(const grpc::Status& status) {
    if (!status.ok()) return Finish(status);
    boost::asio::post(backend_->disk, [this] { Open(); });
  }

  void Open() {
    absl::StatusOr<std::unique_ptr<ArtifactReader>> reader =
        backend_->store->Open(reference_.sha256());
    if (!reader.ok()) return Finish(ToGrpc(reader.status()));
    reader_ = *std::move(reader);
    piece_.set_size_bytes(reader_->size_bytes());
    piece_.set_media_type(artifact_.media_type());
    first_ = true;
    Next();
  }

  void Next() {
    absl::StatusOr<std::string> data = reader_->Read(kPieceBytes);
    if (!data.ok()) return Finish(ToGrpc(data.status()));
    // An empty artifact is one message too: its first says what it is.
    if (data->empty() && !first_) return Finish(grpc::Status::OK);
    if (!std::exchange(first_, false)) piece_.Clear();
    piece_.set_data(*std::move(data));
    StartWrite(&piece_);
  }

  Backend* const backend_;
  HeldUnary lookup_;
  internal::LookupArtifactRequest reference_;
  api::Artifact artifact_;
  std::unique_ptr<ArtifactReader> reader_;
  api::GetArtifactResponse piece_;
  bool first_ = false;
};

class ArtifactService final : public api::ArtifactService::CallbackService {
 public:
  ArtifactService(ArtifactServiceOptions options, ArtifactStore* store,
                  Upstream& upstream)
      : backend_{options, store, upstream, thread_pool(options.disk_threads)} {}
  ~ArtifactService() override { backend_.disk.join(); }

  grpc::ServerReadReactor<api::PutArtifactRequest>* PutArtifact(
      grpc::CallbackServerContext* context, api::Artifact* response) override {
    return new PutCall(&backend_, *context, response);
  }
  grpc::ServerWriteReactor<api::GetArtifactResponse>* GetArtifact(
      grpc::CallbackServerContext* context, const api::GetArtifactRequest* request) override {
    return new GetCall(&backend_, *context, *request);
  }

 private:
  Backend backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeArtifactService(ArtifactServiceOptions options,
                                                   ArtifactStore* store,
                                                   Upstream& upstream) {
  return std::make_unique<ArtifactService>(options, store, upstream);
}

}  // namespace switchyard::gateway
