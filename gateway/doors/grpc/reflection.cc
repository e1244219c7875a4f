#include "gateway/doors/grpc/reflection.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"

namespace switchyard::gateway {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

void NotFound(const std::string& what, ServerReflectionResponse* response) {
  auto* error = response->mutable_error_response();
  error->set_error_code(static_cast<int>(absl::StatusCode::kNotFound));
  error->set_error_message(absl::StrCat(what, " is not known here"));
}

void AddFile(const FileDescriptor* file, absl::flat_hash_set<std::string>* sent,
             ServerReflectionResponse* response) {
  if (!sent->insert(file->name()).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  response->mutable_file_descriptor_response()->add_file_descriptor_proto(
      proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i), sent, response);
}

}  // namespace

Reflection::Reflection(const std::vector<std::string>& services) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  for (const std::string& name : services) {
    if (const auto* service = pool->FindServiceByName(name)) {
      services_.push_back(service);
      AllowFile(service->file());
    }
  }
}

void Reflection::AllowFile(const FileDescriptor* file) {
  if (!files_.insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) AllowFile(file->dependency(i));
}

bool Reflection::IsReflectionMethod(const std::string& method) {
  return method == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" ||
         method == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
}

ServerReflectionResponse Reflection::Answer(const ServerReflectionRequest& request,
                                            absl::flat_hash_set<std::string>* sent) const {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const auto give_file = [&](const FileDescriptor* file, const std::string& what) {
    if (file == nullptr || !files_.contains(file)) return NotFound(what, &response);
    // Asked by name it is sent again, even when it went as another's import.
    sent->erase(file->name());
    AddFile(file, sent, &response);
  };
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      response.mutable_list_services_response();
      for (const auto* service : services_) {
        response.mutable_list_services_response()->add_service()->set_name(service->full_name());
      }
      break;
    case ServerReflectionRequest::kFileByFilename:
      give_file(pool->FindFileByName(request.file_by_filename()), request.file_by_filename());
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      give_file(pool->FindFileContainingSymbol(request.file_containing_symbol()),
                request.file_containing_symbol());
      break;
    case ServerReflectionRequest::kFileContainingExtension: {
      const auto& asked = request.file_containing_extension();
      const auto* type = pool->FindMessageTypeByName(asked.containing_type());
      const FieldDescriptor* extension =
          type == nullptr ? nullptr : pool->FindExtensionByNumber(type, asked.extension_number());
      give_file(extension == nullptr ? nullptr : extension->file(), "that extension");
      break;
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType: {
      const auto* type = pool->FindMessageTypeByName(request.all_extension_numbers_of_type());
      if (type == nullptr || !files_.contains(type->file())) {
        NotFound(request.all_extension_numbers_of_type(), &response);
        break;
      }
      auto* numbers = response.mutable_all_extension_numbers_response();
      numbers->set_base_type_name(type->full_name());
      std::vector<const FieldDescriptor*> extensions;
      pool->FindAllExtensions(type, &extensions);
      for (const FieldDescriptor* field : extensions)
        numbers->add_extension_number(field->number());
      break;
    }
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      NotFound("an empty question", &response);
  }
  return response;
}

}  // namespace switchyard::gateway
