#include "scheduler/service/artifact_reference_service.h"

#include <string>
#include <utility>

#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/commands.h"
#include "scheduler/validation/field_faults.h"

namespace switchyard::scheduler {
namespace {

constexpr char kHashForm[] = "must be a SHA-256: 64 lower-case hex digits";
constexpr char kDefaultMediaType[] = "application/octet-stream";
constexpr size_t kMostMediaTypeBytes = 255;

absl::StatusOr<ArtifactReferenceRow> ReadReference(const v1::Artifact& artifact,
                                                   const std::string& tenant, absl::Time now) {
  FieldFaults faults("artifact");
  if (!IsSha256Hex(artifact.sha256())) faults.Add("sha256", kHashForm);
  if (artifact.size_bytes() < 0) faults.Add("size_bytes", "must not be negative");
  if (artifact.media_type().size() > kMostMediaTypeBytes)
    faults.Add("media_type", "must be at most 255 bytes");
  if (!faults.empty()) return faults.ToStatus();
  return ArtifactReferenceRow{
      .tenant = tenant,
      .sha256 = artifact.sha256(),
      .size_bytes = artifact.size_bytes(),
      .media_type = artifact.media_type().empty() ? kDefaultMediaType : artifact.media_type(),
      .create_ms = absl::ToUnixMillis(now)};
}

absl::Status Lookup(const Backend& backend, const std::string& tenant, const std::string& sha256,
                    v1::Artifact* response) {
  const auto row = backend.store.FindArtifactReference(tenant, sha256);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return NotFound("artifact", sha256);
  response->set_sha256((*row)->sha256);
  response->set_size_bytes((*row)->size_bytes);
  response->set_media_type((*row)->media_type);
  response->mutable_create_time()->set_seconds((*row)->create_ms / 1000);
  response->mutable_create_time()->set_nanos(
      static_cast<int32_t>((*row)->create_ms % 1000 * 1'000'000));
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* ArtifactReferenceService::RecordArtifact(
    grpc::CallbackServerContext* context, const worker::v1::RecordArtifactRequest* request,
    v1::Artifact* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const std::string& tenant = principal->tenant;
  absl::StatusOr<ArtifactReferenceRow> row =
      ReadReference(request->artifact(), tenant, backend_.clock.Now());
  if (!row.ok()) return FinishWith(*context, row.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Input input;
  input.tenant = tenant;
  const std::string sha256 = row->sha256;
  input.artifact = std::move(*row);
  PostCommand(backend_, std::move(input), 0,
              [this, tenant = tenant, sha256, reactor, response](const CommandResult& result) {
                if (!result.status.ok()) return reactor->Finish(ToGrpc(result.status));
                // An older reference stays as it is, so the answer is what is stored.
                const absl::Status taken =
                    backend_.readers.Run([this, tenant, sha256, reactor, response] {
                      reactor->Finish(ToGrpc(Lookup(backend_, tenant, sha256, response)));
                    });
                if (!taken.ok()) reactor->Finish(ToGrpc(taken));
              });
  return reactor;
}

grpc::ServerUnaryReactor* ArtifactReferenceService::LookupArtifact(
    grpc::CallbackServerContext* context, const worker::v1::LookupArtifactRequest* request,
    v1::Artifact* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  if (!IsSha256Hex(request->sha256()))
    return FinishWith(*context, InvalidField("sha256", kHashForm));
  return FinishWithRead(backend_, *context, [this, tenant = principal->tenant, request, response] {
    return Lookup(backend_, tenant, request->sha256(), response);
  });
}

}  // namespace switchyard::scheduler
