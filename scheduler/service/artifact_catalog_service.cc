#include "scheduler/service/artifact_catalog_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "common/rpc/status.h"
#include "common/status/error.h"
#include "scheduler/service/artifact_view.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/page_token.h"

namespace switchyard::scheduler {
namespace {

constexpr char kListArguments[] = "artifacts";
constexpr int kModelsPage = 200;

absl::Status List(const Backend& backend, const std::string& tenant, const std::string& after,
                  int page_size, v1::ListArtifactsResponse* response) {
  const auto rows = backend.store.ListArtifactReferences(tenant, after, page_size);
  if (!rows.ok()) return rows.status();
  for (const ArtifactReferenceRow& row : *rows) Show(row, response->add_artifacts());
  if (static_cast<int>(rows->size()) == page_size) {
    response->set_next_page_token(MakePageToken(kListArguments, rows->back().sha256));
  }
  const absl::StatusOr<ArtifactUse> use = backend.store.SumArtifactReferences(tenant);
  if (!use.ok()) return use.status();
  response->mutable_usage()->set_artifacts(use->artifacts);
  response->mutable_usage()->set_used_bytes(use->bytes);
  return absl::OkStatus();
}

// FAILED_PRECONDITION when `version` has these weights.
absl::Status CheckVersion(const ModelVersionRow& row, const std::string& sha256) {
  v1::ModelVersion version;
  const std::string name = absl::StrCat(row.model, "@", row.version);
  if (!version.ParseFromString(row.bytes)) {
    return absl::DataLossError(absl::StrCat("the stored model ", name, " cannot be read"));
  }
  if (version.weights_artifact() != sha256) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "ARTIFACT_IN_USE",
                   absl::StrCat("artifact ", sha256, " is the weights of model ", name,
                                ", which could not run without it"),
                   {{"sha256", sha256}, {"model", name}});
}

absl::Status CheckNoModelUses(JobStore& store, const std::string& tenant,
                              const std::string& sha256) {
  for (std::string last;;) {
    const auto models = store.ListModels(tenant, last, kModelsPage);
    if (!models.ok()) return models.status();
    for (const ModelVersionRow& latest : *models) {
      absl::Status status = CheckVersion(latest, sha256);
      for (uint32_t version = 1; status.ok() && version < latest.version; ++version) {
        const auto row = store.GetModelVersion(tenant, latest.model, version);
        if (absl::IsNotFound(row.status())) continue;
        status = row.ok() ? CheckVersion(*row, sha256) : row.status();
      }
      if (!status.ok()) return status;
    }
    if (models->empty()) return absl::OkStatus();
    last = models->back().model;
  }
}

// NOT_FOUND, but not for a repeat of the call that gave it up.
absl::Status CheckIsThere(JobStore& store, const std::string& tenant, const std::string& sha256,
                          const RequestIdentity& identity) {
  const auto row = store.FindArtifactReference(tenant, sha256);
  if (!row.ok() || row->has_value()) return row.status();
  if (identity.request_id.empty()) return NotFound("artifact", sha256);
  const RequestKey key{tenant, identity.method, identity.request_id};
  const auto made = store.FindRequests({&key, 1});
  if (!made.ok()) return made.status();
  return made->front().has_value() ? absl::OkStatus() : NotFound("artifact", sha256);
}

}  // namespace

grpc::ServerUnaryReactor* ArtifactCatalogService::ListArtifacts(
    grpc::CallbackServerContext* context, const v1::ListArtifactsRequest* request,
    v1::ListArtifactsResponse* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  const absl::StatusOr<int> page_size = ReadPageSize(request->page_size());
  if (!page_size.ok()) return FinishWith(*context, page_size.status());
  std::string after;
  if (!request->page_token().empty()) {
    absl::StatusOr<std::string> position = ReadPageToken(kListArguments, request->page_token());
    if (!position.ok()) return FinishWith(*context, position.status());
    after = std::move(*position);
  }
  response->mutable_usage()->set_quota_bytes(quota_.QuotaOf(principal->tenant));
  return FinishWithRead(backend_, *context,
                        [this, tenant = principal->tenant, after, size = *page_size, response] {
                          return List(backend_, tenant, after, size, response);
                        });
}

grpc::ServerUnaryReactor* ArtifactCatalogService::DeleteArtifact(
    grpc::CallbackServerContext* context, const v1::DeleteArtifactRequest* request,
    google::protobuf::Empty*) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  if (!IsSha256Hex(request->sha256())) return FinishWith(*context, BadArtifactHash());
  absl::StatusOr<RequestIdentity> identity = IdentityOf(*context, "DeleteArtifact", *request);
  if (!identity.ok()) return FinishWith(*context, identity.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status taken =
      backend_.readers.Run([this, tenant = principal->tenant, sha256 = request->sha256(),
                            identity = *identity, reactor] {
        absl::Status status = CheckIsThere(backend_.store, tenant, sha256, identity);
        if (status.ok()) status = CheckNoModelUses(backend_.store, tenant, sha256);
        // Before the reference goes: who was about to refer to the bytes finds them
        // (artifact_sweep.h).
        if (status.ok()) status = backend_.artifacts.Touch(sha256);
        if (!status.ok()) return reactor->Finish(ToGrpc(status));
        Input input;
        input.tenant = tenant;
        input.request = identity;
        input.released_artifact = sha256;
        PostCommand(backend_, std::move(input), 0, [reactor](const CommandResult& result) {
          reactor->Finish(ToGrpc(result.status));
        });
      });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

}  // namespace switchyard::scheduler
