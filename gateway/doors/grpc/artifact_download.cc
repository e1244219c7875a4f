#include <utility>

#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "gateway/doors/grpc/artifact_backend.h"
#include "gateway/upstream/message_bytes.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;
namespace internal = ::switchyard::worker::v1;

constexpr int64_t kPieceBytes = 256 * 1024;

class GetCall final : public grpc::ServerWriteReactor<api::GetArtifactResponse> {
 public:
  GetCall(ArtifactBackend* backend, const grpc::CallbackServerContext& context,
          const api::GetArtifactRequest& request)
      : backend_(backend),
        range_{request.offset_bytes(), request.length_bytes()},
        lookup_(backend->upstream, ReferenceCall("LookupArtifact", context)) {
    if (!IsSha256Hex(request.sha256())) {
      Finish(ToGrpc(BadHash()));
      return;
    }
    reference_.set_sha256(request.sha256());
    lookup_.Start(ToBytes(reference_), /*repeatable=*/true, [this](const grpc::Status& status) {
      OnReference(TakeAnswer(status, lookup_, &artifact_));
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the caller went away"));
    backend_->OnDisk([this] { Next(); });
  }
  void OnDone() override { delete this; }

 private:
  void OnReference(const grpc::Status& status) {
    if (!status.ok()) return Finish(status);
    backend_->OnDisk([this] { Open(); });
  }

  void Open() {
    absl::StatusOr<std::unique_ptr<ArtifactReader>> reader =
        backend_->store->Open(reference_.sha256(), range_);
    if (!reader.ok()) return Finish(ToGrpc(reader.status()));
    reader_ = *std::move(reader);
    piece_.set_size_bytes(reader_->size_bytes());
    piece_.set_offset_bytes(reader_->offset());
    piece_.set_range_bytes(reader_->range_bytes());
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

  ArtifactBackend* const backend_;
  const ByteRange range_;
  HeldUnary lookup_;
  internal::LookupArtifactRequest reference_;
  api::Artifact artifact_;
  std::unique_ptr<ArtifactReader> reader_;
  api::GetArtifactResponse piece_;
  bool first_ = false;
};

}  // namespace

grpc::ServerWriteReactor<api::GetArtifactResponse>* StartGetArtifact(
    ArtifactBackend* backend, const grpc::CallbackServerContext& context,
    const api::GetArtifactRequest& request) {
  return new GetCall(backend, context, request);
}

}  // namespace switchyard::gateway
