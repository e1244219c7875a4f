#include "gateway/doors/grpc/artifact_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "gateway/doors/grpc/artifact_backend.h"
#include "gateway/upstream/message_bytes.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;

constexpr absl::Duration kReferenceDeadline = absl::Seconds(30);

class ArtifactService final : public api::ArtifactService::CallbackService {
 public:
  ArtifactService(ArtifactServiceOptions options, ArtifactStore* store, Upstream& upstream)
      : backend_{options, store, upstream, boost::asio::thread_pool(options.disk_threads)} {}
  ~ArtifactService() override { backend_.disk.join(); }

  grpc::ServerReadReactor<api::PutArtifactRequest>* PutArtifact(
      grpc::CallbackServerContext* context, api::Artifact* response) override {
    return StartPutArtifact(&backend_, *context, response);
  }
  grpc::ServerWriteReactor<api::GetArtifactResponse>* GetArtifact(
      grpc::CallbackServerContext* context, const api::GetArtifactRequest* request) override {
    return StartGetArtifact(&backend_, *context, *request);
  }
  grpc::ServerUnaryReactor* BeginUpload(grpc::CallbackServerContext* context,
                                        const api::BeginUploadRequest* request,
                                        api::ArtifactUpload* response) override {
    return StartBeginUpload(&backend_, *context, *request, response);
  }
  grpc::ServerReadReactor<api::PutPartRequest>* PutPart(grpc::CallbackServerContext* context,
                                                        api::ArtifactPart* response) override {
    return StartPutPart(&backend_, *context, response);
  }
  grpc::ServerUnaryReactor* CompleteUpload(grpc::CallbackServerContext* context,
                                           const api::CompleteUploadRequest* request,
                                           api::Artifact* response) override {
    return StartCompleteUpload(&backend_, *context, *request, response);
  }
  grpc::ServerUnaryReactor* AbandonUpload(grpc::CallbackServerContext* context,
                                          const api::AbandonUploadRequest* request,
                                          google::protobuf::Empty*) override {
    return StartAbandonUpload(&backend_, *context, *request);
  }

 private:
  ArtifactBackend backend_;
};

}  // namespace

absl::Status BadHash() {
  return InvalidField("sha256", "64 lower-case hexadecimal digits are expected");
}

absl::Status ArtifactTooLarge(uint64_t max_bytes) {
  const std::string limit = absl::StrCat(max_bytes);
  return MakeError(absl::StatusCode::kResourceExhausted, "BODY_TOO_LARGE",
                   absl::StrCat("the artifact is larger than ", limit, " bytes"),
                   {{"max_bytes", limit}});
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

grpc::Status TakeAnswer(const grpc::Status& status, HeldUnary& call,
                        google::protobuf::Message* answer) {
  if (!status.ok()) return status;
  const auto message = FromBytes(call.response(), *answer);
  if (!message.ok()) return ToGrpc(message.status());
  answer->CopyFrom(**message);
  return status;
}

void Admission::Ask(const std::string& sha256, int64_t size_bytes,
                    std::function<void(grpc::Status)> then) {
  ::switchyard::worker::v1::AdmitArtifactRequest request;
  request.set_sha256(sha256);
  request.set_size_bytes(size_bytes);
  answer_.Clear();
  call_ = std::make_unique<HeldUnary>(backend_->upstream, ReferenceCall("AdmitArtifact", caller_));
  // The call may be gone after its answer: what goes on does so elsewhere.
  call_->Start(ToBytes(request), /*repeatable=*/true,
               [this, then = std::move(then)](const grpc::Status& status) {
                 const grpc::Status ended = TakeAnswer(status, *call_, &answer_);
                 backend_->OnDisk([then, ended] { then(ended); });
               });
}

void Recording::Record(const ArtifactInfo& info, const std::string& media_type,
                       api::Artifact* response, std::function<void(grpc::Status)> then) {
  ::switchyard::worker::v1::RecordArtifactRequest request;
  auto* artifact = request.mutable_artifact();
  artifact->set_sha256(info.sha256);
  artifact->set_size_bytes(info.size_bytes);
  artifact->set_media_type(media_type);
  call_.Start(ToBytes(request), /*repeatable=*/true,
              [this, response, then = std::move(then)](const grpc::Status& status) {
                then(TakeAnswer(status, call_, response));
              });
}

std::unique_ptr<grpc::Service> MakeArtifactService(ArtifactServiceOptions options,
                                                   ArtifactStore* store, Upstream& upstream) {
  return std::make_unique<ArtifactService>(options, store, upstream);
}

}  // namespace switchyard::gateway
