// An upload in one stream.
#include <utility>

#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "gateway/doors/grpc/artifact_backend.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;

// In every step Finish, StartRead or a call whose answer goes on comes last: the object may be gone
// after it.
class PutCall final : public grpc::ServerReadReactor<api::PutArtifactRequest> {
 public:
  PutCall(ArtifactBackend* backend, const grpc::CallbackServerContext& context,
          api::Artifact* response)
      : backend_(backend),
        response_(response),
        admission_(backend, context),
        recording_(backend, context) {
    StartRead(&piece_);
  }

  void OnReadDone(bool ok) override {
    backend_->OnDisk([this, ok] { ok ? Take() : End(); });
  }
  void OnDone() override { delete this; }

 private:
  void Take() {
    const bool first = writer_ == nullptr;
    if (first && !IsSha256Hex(piece_.sha256())) return Finish(ToGrpc(BadHash()));
    size_bytes_ += piece_.data().size();
    if (size_bytes_ > backend_->options.max_artifact_bytes) {
      return Finish(ToGrpc(ArtifactTooLarge(backend_->options.max_artifact_bytes)));
    }
    if (first) {
      sha256_ = piece_.sha256();
      media_type_ = piece_.media_type();
    }
    // What the tenant had room for when it began may be used up: the scheduler says so, or how much
    // there is now.
    const int64_t free = admission_.free_bytes();
    const bool ask = first || (free >= 0 && size_bytes_ > static_cast<uint64_t>(free));
    if (!ask) return Append();
    admission_.Ask(sha256_, static_cast<int64_t>(size_bytes_),
                   [this](const grpc::Status& status) { status.ok() ? Append() : Finish(status); });
  }

  void Append() {
    absl::Status status;
    if (writer_ == nullptr) {
      absl::StatusOr<std::unique_ptr<ArtifactWriter>> writer = backend_->store->Create(sha256_);
      if (!writer.ok()) return Finish(ToGrpc(writer.status()));
      writer_ = *std::move(writer);
    }
    if (!piece_.data().empty()) status = writer_->Append(piece_.data());
    if (!status.ok()) return Finish(ToGrpc(status));
    StartRead(&piece_);
  }

  // The caller has sent all, or went away: then the hash is not the one it named, and nothing is
  // kept.
  void End() {
    if (writer_ == nullptr) return Finish(ToGrpc(BadHash()));
    const absl::StatusOr<ArtifactInfo> info = writer_->Finish(sha256_);
    if (!info.ok()) return Finish(ToGrpc(info.status()));
    recording_.Record(*info, media_type_, response_,
                      [this](const grpc::Status& status) { Finish(status); });
  }

  ArtifactBackend* const backend_;
  api::Artifact* const response_;
  Admission admission_;
  Recording recording_;
  api::PutArtifactRequest piece_;
  std::unique_ptr<ArtifactWriter> writer_;
  std::string sha256_;
  std::string media_type_;
  uint64_t size_bytes_ = 0;
};

}  // namespace

grpc::ServerReadReactor<api::PutArtifactRequest>* StartPutArtifact(
    ArtifactBackend* backend, const grpc::CallbackServerContext& context, api::Artifact* response) {
  return new PutCall(backend, context, response);
}

}  // namespace switchyard::gateway
