// What the calls of the artifact service lean on.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>

#include "common/artifacts/artifact_store.h"
#include "common/artifacts/artifact_uploads.h"
#include "gateway/doors/grpc/artifact_service.h"
#include "gateway/upstream/held_unary.h"
#include "gateway/upstream/upstream.h"
#include "grpcpp/server_context.h"
#include "switchyard/worker/v1/artifact_reference_service.pb.h"

namespace switchyard::gateway {

// Outlives the calls. Thread-safe.
struct ArtifactBackend {
  ArtifactServiceOptions options;
  ArtifactStore* store;
  Upstream& upstream;
  boost::asio::thread_pool disk;

  template <typename Work>
  void OnDisk(Work work) {
    boost::asio::post(disk, std::move(work));
  }
};

// A call of the scheduler's ArtifactReferenceService in the name of a caller. All may be repeated.
CallInfo ReferenceCall(const char* method, const grpc::CallbackServerContext& from);
// The answer of such a call into `answer`, when it is OK.
grpc::Status TakeAnswer(const grpc::Status& status, HeldUnary& call,
                        google::protobuf::Message* answer);

absl::Status BadHash();
absl::Status ArtifactTooLarge(uint64_t max_bytes);

// Asks the scheduler, before bytes are taken, who the caller is and how much may come. May be asked
// again when the answer is there.
class Admission {
 public:
  // `context` outlives it.
  Admission(ArtifactBackend* backend, const grpc::CallbackServerContext& context)
      : backend_(backend), caller_(context) {}

  // Calls `then` on a disk thread, with the answer in place when it is OK.
  void Ask(const std::string& sha256, int64_t size_bytes, std::function<void(grpc::Status)> then);

  const std::string& tenant() const { return answer_.tenant(); }
  // Most bytes that may come; negative: no limit.
  int64_t free_bytes() const { return answer_.free_bytes(); }
  // What the tenant has under this hash already; null: nothing.
  const ::switchyard::v1::Artifact* artifact() const {
    return answer_.has_artifact() ? &answer_.artifact() : nullptr;
  }

 private:
  ArtifactBackend* const backend_;
  const grpc::CallbackServerContext& caller_;
  std::unique_ptr<HeldUnary> call_;
  ::switchyard::worker::v1::AdmitArtifactResponse answer_;
};

// Records the reference to bytes that are stored. One use.
class Recording {
 public:
  Recording(ArtifactBackend* backend, const grpc::CallbackServerContext& context)
      : call_(backend->upstream, ReferenceCall("RecordArtifact", context)) {}
  void Record(const ArtifactInfo& info, const std::string& media_type,
              ::switchyard::v1::Artifact* response, std::function<void(grpc::Status)> then);

 private:
  HeldUnary call_;
};

// The calls. Each object deletes itself.
grpc::ServerReadReactor<::switchyard::v1::PutArtifactRequest>* StartPutArtifact(
    ArtifactBackend* backend, const grpc::CallbackServerContext& context,
    ::switchyard::v1::Artifact* response);
grpc::ServerReadReactor<::switchyard::v1::PutPartRequest>* StartPutPart(
    ArtifactBackend* backend, const grpc::CallbackServerContext& context,
    ::switchyard::v1::ArtifactPart* response);
grpc::ServerWriteReactor<::switchyard::v1::GetArtifactResponse>* StartGetArtifact(
    ArtifactBackend* backend, const grpc::CallbackServerContext& context,
    const ::switchyard::v1::GetArtifactRequest& request);
grpc::ServerUnaryReactor* StartBeginUpload(ArtifactBackend* backend,
                                           const grpc::CallbackServerContext& context,
                                           const ::switchyard::v1::BeginUploadRequest& request,
                                           ::switchyard::v1::ArtifactUpload* response);
grpc::ServerUnaryReactor* StartCompleteUpload(
    ArtifactBackend* backend, const grpc::CallbackServerContext& context,
    const ::switchyard::v1::CompleteUploadRequest& request, ::switchyard::v1::Artifact* response);
grpc::ServerUnaryReactor* StartAbandonUpload(ArtifactBackend* backend,
                                             const grpc::CallbackServerContext& context,
                                             const ::switchyard::v1::AbandonUploadRequest& request);

}  // namespace switchyard::gateway
