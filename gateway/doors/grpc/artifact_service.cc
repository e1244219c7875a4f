#include "gateway/doors/grpc/artifact_service.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "common/status/error.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;
namespace internal = ::switchyard::worker::v1;
using boost::asio::thread_pool;

constexpr int64_t kPieceBytes = 256 * 1024;
constexpr auto kReferenceDeadline = std::chrono::seconds(30);

// What both directions lean on.
struct Backend {
  ArtifactServiceOptions options;
  ArtifactStore* store;
  internal::ArtifactReferenceService::Stub references;
  thread_pool disk;
};

absl::Status BadHash() {
  return InvalidField("sha256", "64 lower-case hexadecimal digits are expected");
}

void PrepareContext(const grpc::CallbackServerContext& from, grpc::ClientContext* to) {
  to->set_deadline(std::chrono::system_clock::now() + kReferenceDeadline);
  for (const char* name : {"traceparent", "tracestate", "x-request-id", "authorization"}) {
    const auto found = from.client_metadata().find(name);
    if (found == from.client_metadata().end()) continue;
    to->AddMetadata(name, std::string(found->second.data(), found->second.size()));
  }
}

// An upload. Deletes itself. In every step Finish or StartRead comes last: the object may be gone
// after it.
class PutCall final : public grpc::ServerReadReactor<api::PutArtifactRequest> {
 public:
  PutCall(Backend* backend, const grpc::CallbackServerContext& context, api::Artifact* response)
      : backend_(backend), response_(response) {
    PrepareContext(context, &reference_context_);
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
    auto* artifact = reference_.mutable_artifact();
    artifact->set_sha256(info->sha256);
    artifact->set_size_bytes(info->size_bytes);
    artifact->set_media_type(media_type_);
    backend_->references.async()->RecordArtifact(&reference_context_, &reference_, response_,
                                                 [this](grpc::Status status) { Finish(status); });
  }

  Backend* const backend_;
  api::Artifact* const response_;
  api::PutArtifactRequest piece_;
  std::unique_ptr<ArtifactWriter> writer_;
  std::string sha256_;
  std::string media_type_;
  uint64_t size_bytes_ = 0;
  grpc::ClientContext reference_context_;
  internal::RecordArtifactRequest reference_;
};

// A download. Deletes itself.
class GetCall final : public grpc::ServerWriteReactor<api::GetArtifactResponse> {
 public:
  GetCall(Backend* backend, const grpc::CallbackServerContext& context,
          const api::GetArtifactRequest& request)
      : backend_(backend) {
    if (!IsSha256Hex(request.sha256())) {
      Finish(ToGrpc(BadHash()));
      return;
    }
    PrepareContext(context, &reference_context_);
    reference_.set_sha256(request.sha256());
    backend_->references.async()->LookupArtifact(
        &reference_context_, &reference_, &artifact_,
        [this](grpc::Status status) { OnReference(status); });
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
  grpc::ClientContext reference_context_;
  internal::LookupArtifactRequest reference_;
  api::Artifact artifact_;
  std::unique_ptr<ArtifactReader> reader_;
  api::GetArtifactResponse piece_;
  bool first_ = false;
};

class ArtifactService final : public api::ArtifactService::CallbackService {
 public:
  ArtifactService(ArtifactServiceOptions options, ArtifactStore* store,
                  std::shared_ptr<grpc::Channel> scheduler)
      : backend_{options, store, internal::ArtifactReferenceService::Stub(std::move(scheduler)),
                 thread_pool(options.disk_threads)} {}
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
                                                   std::shared_ptr<grpc::Channel> scheduler) {
  return std::make_unique<ArtifactService>(options, store, std::move(scheduler));
}

}  // namespace switchyard::gateway
