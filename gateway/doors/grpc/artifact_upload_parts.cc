// Uploads in parts. Every call asks the scheduler first whose upload it is.
#include <utility>

#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "gateway/doors/grpc/artifact_backend.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;

void Show(const UploadKey& key, const Upload& upload, api::ArtifactUpload* response) {
  response->set_sha256(key.sha256);
  response->set_size_bytes(upload.size_bytes);
  response->set_part_bytes(upload.part_bytes);
  response->set_parts(upload.parts());
  for (const uint32_t part : upload.stored_parts) response->add_stored_parts(part);
}

// A call with one message each way. `Work` runs on a disk thread once the scheduler has said who
// calls, and finishes it.
class UnaryCall : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(ArtifactBackend* backend, const grpc::CallbackServerContext& context,
            const std::string& sha256)
      : backend_(backend), admission_(backend, context), key_{"", sha256} {}
  void OnDone() override { delete this; }

 protected:
  virtual void Work() = 0;
  // Last in the constructor of who derives.
  void Ask(int64_t size_bytes) {
    if (!IsSha256Hex(key_.sha256)) return Finish(ToGrpc(BadHash()));
    admission_.Ask(key_.sha256, size_bytes, [this](const grpc::Status& status) {
      if (!status.ok()) return Finish(status);
      key_.tenant = admission_.tenant();
      Work();
    });
  }

  ArtifactBackend* const backend_;
  Admission admission_;
  UploadKey key_;
};

class BeginCall final : public UnaryCall {
 public:
  BeginCall(ArtifactBackend* backend, const grpc::CallbackServerContext& context,
            const api::BeginUploadRequest& request, api::ArtifactUpload* response)
      : UnaryCall(backend, context, request.sha256()), request_(request), response_(response) {
    if (request.size_bytes() <= 0) {
      Finish(ToGrpc(InvalidField("size_bytes", "must be the length of the whole, more than 0")));
    } else if (static_cast<uint64_t>(request.size_bytes()) > backend->options.max_artifact_bytes) {
      Finish(ToGrpc(ArtifactTooLarge(backend->options.max_artifact_bytes)));
    } else {
      Ask(request.size_bytes());
    }
  }

 private:
  void Work() override {
    if (admission_.artifact() != nullptr && backend_->store->Open(key_.sha256).ok()) {
      *response_->mutable_artifact() = *admission_.artifact();
      response_->set_sha256(key_.sha256);
      response_->set_size_bytes(admission_.artifact()->size_bytes());
      return Finish(grpc::Status::OK);
    }
    const absl::StatusOr<Upload> upload = backend_->store->uploads().Begin(
        key_, request_.size_bytes(), request_.media_type().substr(0, 255));
    if (upload.ok()) Show(key_, *upload, response_);
    Finish(ToGrpc(upload.status()));
  }

  const api::BeginUploadRequest& request_;
  api::ArtifactUpload* const response_;
};

class CompleteCall final : public UnaryCall {
 public:
  CompleteCall(ArtifactBackend* backend, const grpc::CallbackServerContext& context,
               const std::string& sha256, api::Artifact* response)
      : UnaryCall(backend, context, sha256), response_(response), recording_(backend, context) {
    Ask(0);
  }

 private:
  void Work() override {
    ArtifactUploads& uploads = backend_->store->uploads();
    const absl::StatusOr<Upload> upload = uploads.Find(key_);
    // A repeat of a call whose answer was lost.
    if (absl::IsNotFound(upload.status()) && admission_.artifact() != nullptr) {
      *response_ = *admission_.artifact();
      return Finish(grpc::Status::OK);
    }
    if (!upload.ok()) return Finish(ToGrpc(upload.status()));
    const absl::StatusOr<ArtifactInfo> info = uploads.Complete(key_);
    if (!info.ok()) return Finish(ToGrpc(info.status()));
    recording_.Record(*info, upload->media_type, response_,
                      [this](const grpc::Status& status) { Finish(status); });
  }

  api::Artifact* const response_;
  Recording recording_;
};

class AbandonCall final : public UnaryCall {
 public:
  AbandonCall(ArtifactBackend* backend, const grpc::CallbackServerContext& context,
              const std::string& sha256)
      : UnaryCall(backend, context, sha256) {
    Ask(0);
  }

 private:
  void Work() override { Finish(ToGrpc(backend_->store->uploads().Drop(key_))); }
};

// As PutCall in artifact_upload.cc.
class PutPartCall final : public grpc::ServerReadReactor<api::PutPartRequest> {
 public:
  PutPartCall(ArtifactBackend* backend, const grpc::CallbackServerContext& context,
              api::ArtifactPart* response)
      : backend_(backend), response_(response), admission_(backend, context) {
    StartRead(&piece_);
  }

  void OnReadDone(bool ok) override {
    backend_->OnDisk([this, ok] { ok ? Take() : End(); });
  }
  void OnDone() override { delete this; }

 private:
  void Take() {
    if (writer_ != nullptr) return Append();
    if (!IsSha256Hex(piece_.sha256())) return Finish(ToGrpc(BadHash()));
    const UploadKey key{"", piece_.sha256()};
    admission_.Ask(key.sha256, 0, [this, key](const grpc::Status& status) {
      if (!status.ok()) return Finish(status);
      Open({admission_.tenant(), key.sha256});
    });
  }

  void Open(const UploadKey& key) {
    absl::StatusOr<std::unique_ptr<PartWriter>> writer =
        backend_->store->uploads().CreatePart(key, piece_.part());
    if (!writer.ok()) return Finish(ToGrpc(writer.status()));
    writer_ = *std::move(writer);
    response_->set_part(piece_.part());
    Append();
  }

  void Append() {
    const absl::Status status = writer_->Append(piece_.data());
    if (!status.ok()) return Finish(ToGrpc(status));
    response_->set_size_bytes(response_->size_bytes() + static_cast<int64_t>(piece_.data().size()));
    StartRead(&piece_);
  }

  // The caller has sent all, or went away: then bytes are missing, and the part is not kept.
  void End() { Finish(ToGrpc(writer_ == nullptr ? BadHash() : writer_->Finish())); }

  ArtifactBackend* const backend_;
  api::ArtifactPart* const response_;
  Admission admission_;
  api::PutPartRequest piece_;
  std::unique_ptr<PartWriter> writer_;
};

}  // namespace

grpc::ServerReadReactor<api::PutPartRequest>* StartPutPart(
    ArtifactBackend* backend, const grpc::CallbackServerContext& context,
    api::ArtifactPart* response) {
  return new PutPartCall(backend, context, response);
}

grpc::ServerUnaryReactor* StartBeginUpload(ArtifactBackend* backend,
                                           const grpc::CallbackServerContext& context,
                                           const api::BeginUploadRequest& request,
                                           api::ArtifactUpload* response) {
  return new BeginCall(backend, context, request, response);
}

grpc::ServerUnaryReactor* StartCompleteUpload(ArtifactBackend* backend,
                                              const grpc::CallbackServerContext& context,
                                              const api::CompleteUploadRequest& request,
                                              api::Artifact* response) {
  return new CompleteCall(backend, context, request.sha256(), response);
}

grpc::ServerUnaryReactor* StartAbandonUpload(ArtifactBackend* backend,
                                             const grpc::CallbackServerContext& context,
                                             const api::AbandonUploadRequest& request) {
  return new AbandonCall(backend, context, request.sha256());
}

}  // namespace switchyard::gateway
