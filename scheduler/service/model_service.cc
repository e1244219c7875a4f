#include "scheduler/service/model_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/page_token.h"
#include "scheduler/validation/excerpt.h"

namespace switchyard::scheduler {
namespace {

constexpr char kListArguments[] = "models";

absl::Status List(const Backend& backend, const std::string& tenant, const std::string& after,
                  int page_size, v1::ListModelsResponse* response) {
  const auto rows = backend.store.ListModels(tenant, after, page_size);
  if (!rows.ok()) return rows.status();
  for (const ModelVersionRow& row : *rows) {
    if (!response->add_models()->ParseFromString(row.bytes)) {
      return absl::DataLossError(
          absl::StrCat("the stored model ", row.model, "@", row.version, " cannot be read"));
    }
  }
  if (static_cast<int>(rows->size()) == page_size) {
    response->set_next_page_token(MakePageToken(kListArguments, rows->back().model));
  }
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* ModelService::ListModels(grpc::CallbackServerContext* context,
                                                   const v1::ListModelsRequest* request,
                                                   v1::ListModelsResponse* response) {
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
  return FinishWithRead(backend_, *context,
                        [this, tenant = principal->tenant, after, size = *page_size, response] {
                          return List(backend_, tenant, after, size, response);
                        });
}

grpc::ServerUnaryReactor* ModelService::GetModel(grpc::CallbackServerContext* context,
                                                 const v1::GetModelRequest* request,
                                                 v1::ModelVersion* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  if (request->model().empty())
    return FinishWith(*context, InvalidField("model", "must be set: a model's name"));
  return FinishWithRead(backend_, *context, [this, tenant = principal->tenant, request, response] {
    auto model = backend_.references.FindModel(tenant, request->model(), request->version());
    if (!model.ok()) return model.status();
    if (!model->has_value()) {
      const absl::string_view name = Excerpt(request->model());
      return NotFound("model", request->version() == 0
                                   ? std::string(name)
                                   : absl::StrCat(name, "@", request->version()));
    }
    *response = std::move(**model);
    return absl::OkStatus();
  });
}

}  // namespace switchyard::scheduler
