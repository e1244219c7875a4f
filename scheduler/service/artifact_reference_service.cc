#include "scheduler/service/artifact_reference_service.h"

#include <string>
#include <utility>

#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/artifact_view.h"
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
  Show(**row, response);
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
  if (quota_.QuotaOf(tenant) == 0) {
    Record(*std::move(row), reactor, response);
    return reactor;
  }
  const absl::Status taken = backend_.readers.Run([this, row = *row, reactor, response] {
    // Recording what is there takes no room.
    const auto there = backend_.store.FindArtifactReference(row.tenant, row.sha256);
    absl::Status status = there.status();
    if (status.ok()) {
      status = quota_.Reserve(row.tenant, there->has_value() ? 0 : row.size_bytes);
    }
    if (!status.ok()) return reactor->Finish(ToGrpc(status));
    ArtifactReferenceRow reserved = row;
    Record(std::move(reserved), reactor, response, there->has_value() ? 0 : row.size_bytes);
  });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

void ArtifactReferenceService::Record(ArtifactReferenceRow row, grpc::ServerUnaryReactor* reactor,
                                      v1::Artifact* response, int64_t reserved_bytes) {
  Input input;
  input.tenant = row.tenant;
  const std::string sha256 = row.sha256, tenant = row.tenant;
  input.artifact = std::move(row);
  PostCommand(
      backend_, std::move(input), 0,
      [this, tenant, sha256, reactor, response, reserved_bytes](const CommandResult& result) {
        quota_.Release(tenant, reserved_bytes);
        if (!result.status.ok()) return reactor->Finish(ToGrpc(result.status));
        // An older reference stays as it is, so the answer is what is stored.
        const absl::Status taken = backend_.readers.Run([this, tenant, sha256, reactor, response] {
          reactor->Finish(ToGrpc(Lookup(backend_, tenant, sha256, response)));
        });
        if (!taken.ok()) reactor->Finish(ToGrpc(taken));
      });
}

grpc::ServerUnaryReactor* ArtifactReferenceService::AdmitArtifact(
    grpc::CallbackServerContext* context, const worker::v1::AdmitArtifactRequest* request,
    worker::v1::AdmitArtifactResponse* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  if (!IsSha256Hex(request->sha256())) return FinishWith(*context, BadArtifactHash());
  response->set_tenant(principal->tenant);
  return FinishWithRead(backend_, *context, [this, tenant = principal->tenant, request, response] {
    absl::Status found = Lookup(backend_, tenant, request->sha256(), response->mutable_artifact());
    if (found.ok()) {  // Storing it again takes no room.
      response->set_free_bytes(-1);
      return found;
    }
    response->clear_artifact();
    if (!absl::IsNotFound(found)) return found;
    const absl::StatusOr<int64_t> free = quota_.Check(tenant, request->size_bytes());
    if (free.ok()) response->set_free_bytes(*free);
    return free.status();
  });
}

grpc::ServerUnaryReactor* ArtifactReferenceService::LookupArtifact(
    grpc::CallbackServerContext* context, const worker::v1::LookupArtifactRequest* request,
    v1::Artifact* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  if (!IsSha256Hex(request->sha256())) return FinishWith(*context, BadArtifactHash());
  return FinishWithRead(backend_, *context, [this, tenant = principal->tenant, request, response] {
    return Lookup(backend_, tenant, request->sha256(), response);
  });
}

}  // namespace switchyard::scheduler
