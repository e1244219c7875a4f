#include "gateway/transcode/openapi.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/transcode/field_text.h"
#include "gateway/transcode/openapi_schema.h"

namespace switchyard::gateway {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Every status that the gateway or a method behind it can answer besides success. 499 is for logs:
// nobody is left to read it.
struct ErrorAnswer {
  const char* status;
  const char* description;
};
constexpr ErrorAnswer kErrors[] = {
    {"400", "INVALID_ARGUMENT, FAILED_PRECONDITION or OUT_OF_RANGE; names the fields at fault."},
    {"401", "UNAUTHENTICATED."},
    {"403", "PERMISSION_DENIED, or a browser's call from elsewhere."},
    {"404", "NOT_FOUND."},
    {"405", "The path has other methods: header Allow."},
    {"409", "ALREADY_EXISTS or ABORTED."},
    {"413", "The body is larger than is taken."},
    {"415", "The body's media type or coding is not taken."},
    {"429", "RESOURCE_EXHAUSTED; header Retry-After where known."},
    {"500", "INTERNAL, UNKNOWN or DATA_LOSS."},
    {"501", "UNIMPLEMENTED."},
    {"503", "UNAVAILABLE; the call may be repeated."},
    {"504", "DEADLINE_EXCEEDED."},
};

object Content(const std::string& media_type, object schema) {
  return {{media_type, {{"schema", std::move(schema)}}}};
}

// Two spaces a level: a description is read and compared by people too.
void Print(const value& json, int level, std::string* out) {
  const std::string indent(2 * (level + 1), ' ');
  const std::string outdent(2 * level, ' ');
  if (json.is_object() && !json.get_object().empty()) {
    const char* separator = "{\n";
    for (const auto& member : json.get_object()) {
      absl::StrAppend(out, separator, indent, boost::json::serialize(member.key()), ": ");
      Print(member.value(), level + 1, out);
      separator = ",\n";
    }
    absl::StrAppend(out, "\n", outdent, "}");
  } else if (json.is_array() && !json.get_array().empty()) {
    const char* separator = "[\n";
    for (const value& element : json.get_array()) {
      absl::StrAppend(out, separator, indent);
      Print(element, level + 1, out);
      separator = ",\n";
    }
    absl::StrAppend(out, "\n", outdent, "]");
  } else {
    out->append(boost::json::serialize(json));
  }
}

class Generator {
 public:
  std::string Run(const Api& api, const std::string& version) {
    object paths;
    for (const Binding& binding : api.bindings()) {
      const std::string path = binding.path.OpenApiPath();
      if (!paths.contains(path)) paths[path] = object();
      paths[path].get_object()[absl::AsciiStrToLower(binding.verb)] = Operation(binding);
    }
    object document{{"openapi", "3.1.0"},
                    {"info",
                     {{"title", "Switchyard"},
                      {"version", version},
                      {"description",
                       "One queue for GPU work. Errors are application/problem+json (RFC 9457). "
                       "Every write takes "
                       "request_id, or the header Idempotency-Key: a repeat with the same id and "
                       "body gives the "
                       "first answer."}}},
                    {"servers", array{object{{"url", "/"}}}},
                    {"tags", Tags(api)},
                    {"paths", std::move(paths)},
                    {"components", Components()}};
    std::string text;
    Print(document, 0, &text);
    return text + "\n";
  }

 private:
  array Tags(const Api& api) const {
    array tags;
    for (const auto* service : api.services()) {
      tags.emplace_back(object{{"name", service->name()}, {"description", CommentOf(service)}});
    }
    return tags;
  }

  object Operation(const Binding& binding) {
    const auto* method = binding.method->descriptor;
    const std::string comment = CommentOf(method);
    object operation{{"operationId", OperationId(binding)},
                     {"tags", array{method->service()->name()}},
                     {"summary", comment.substr(0, comment.find(". "))},
                     {"description", comment}};
    if (array parameters = Parameters(binding); !parameters.empty()) {
      operation["parameters"] = std::move(parameters);
    }
    if (object body = RequestBody(binding); !body.empty())
      operation["requestBody"] = std::move(body);
    operation["responses"] = Responses(binding);
    return operation;
  }

  // Additional bindings need names of their own.
  std::string OperationId(const Binding& binding) {
    const auto* method = binding.method->descriptor;
    const int uses = ++operation_uses_[method];
    return absl::StrCat(method->service()->name(), "_", method->name(),
                        uses > 1 ? absl::StrCat("_", uses) : "");
  }

  object Parameter(absl::string_view name, absl::string_view in, bool required,
                   const FieldDescriptor* field) {
    object schema = schemas_.ForElement(field);
    if (field->is_repeated()) schema = {{"type", "array"}, {"items", std::move(schema)}};
    return {{"name", std::string(name)},
            {"in", std::string(in)},
            {"required", required},
            {"description", CommentOf(field)},
            {"schema", std::move(schema)}};
  }

  array Parameters(const Binding& binding) {
    const Descriptor* request = binding.method->descriptor->input_type();
    array parameters;
    for (const std::string& name : binding.path.VariableNames()) {
      parameters.push_back(Parameter(name, "path", true, ResolvePath(request, name).back()));
    }
    if (!binding.whole_body) AddQuery(binding, request, &parameters);
    if (binding.method->request_id != nullptr) {
      parameters.push_back(
          Header("Idempotency-Key", "Becomes request_id when the request has none."));
    }
    if (binding.method->events.resume != nullptr) {
      parameters.push_back(Header("Last-Event-ID", "Continue after this event."));
    }
    return parameters;
  }

  static object Header(absl::string_view name, absl::string_view description) {
    return {{"name", std::string(name)},
            {"in", "header"},
            {"required", false},
            {"description", std::string(description)},
            {"schema", {{"type", "string"}}}};
  }

  void AddQuery(const Binding& binding, const Descriptor* request, array* parameters) {
    const auto names = binding.path.VariableNames();
    for (int i = 0; i < request->field_count(); ++i) {
      const FieldDescriptor* field = request->field(i);
      const std::string& name = field->name();
      const auto& raw = binding.method->raw.request_data;
      if ((binding.body != nullptr && binding.body->name() == name) ||
          (raw != nullptr && raw->name() == name) || field->is_map() ||
          (field->message_type() != nullptr && !HasTextForm(field->message_type())) ||
          std::find(names.begin(), names.end(), name) != names.end()) {
        continue;
      }
      parameters->push_back(Parameter(field->json_name(), "query", false, field));
    }
  }

  object RequestBody(const Binding& binding) {
    const Descriptor* request = binding.method->descriptor->input_type();
    if (binding.method->raw.request_data != nullptr) {
      return {{"required", true},
              {"content", Content("application/octet-stream", {{"format", "binary"}})}};
    }
    if (binding.whole_body) {
      return {{"required", false},
              {"content", Content("application/json", schemas_.ForMessage(request))}};
    }
    if (binding.body == nullptr) return {};
    const FieldDescriptor* field = request->FindFieldByName(binding.body->name());
    return {{"required", true}, {"content", Content("application/json", schemas_.ForField(field))}};
  }

  object SuccessContent(const Binding& binding) {
    const Method& method = *binding.method;
    const Descriptor* response = method.descriptor->output_type();
    if (method.raw.response_data != nullptr) {
      return Content("application/octet-stream", {{"format", "binary"}});
    }
    if (method.server_streaming()) {
      object content = Content("text/event-stream", {{"type", "string"}});
      content["application/x-ndjson"] = {{"schema", schemas_.ForMessage(response)}};
      return content;
    }
    return Content("application/json",
                   binding.response_body != nullptr
                       ? schemas_.ForField(response->FindFieldByName(binding.response_body->name()))
                       : schemas_.ForMessage(response));
  }

  object Responses(const Binding& binding) {
    object responses;
    responses[absl::StrCat(binding.method->success_status)] =
        object{{"description", CommentOf(binding.method->descriptor->output_type())},
               {"content", SuccessContent(binding)}};
    if (binding.method->raw.request_offset != nullptr) {
      responses["206"] = object{{"description", "The range that was asked for."},
                                {"content", SuccessContent(binding)}};
      responses["416"] = object{{"description", "The range begins behind the end."},
                                {"content", Content("application/problem+json",
                                                    {{"$ref", "#/components/schemas/Problem"}})}};
    }
    if (binding.method->raw.request_etag != nullptr) {
      responses["304"] = object{{"description", "As If-None-Match says."}};
    }
    for (const ErrorAnswer& error : kErrors) {
      responses[error.status] =
          object{{"$ref", absl::StrCat("#/components/responses/", error.status)}};
    }
    return responses;
  }

  static object ProblemSchema() {
    const object text{{"type", "string"}};
    const object violation{{"type", "object"},
                           {"properties", {{"field", text}, {"description", text}}}};
    return {{"type", "object"},
            {"description",
             "An error, RFC 9457. `code` and `reason` are for programs, `detail` for people."},
            {"properties",
             {{"type", text},
              {"title", text},
              {"status", {{"type", "integer"}}},
              {"detail", text},
              {"instance", text},
              {"code", text},
              {"reason", text},
              {"metadata", {{"type", "object"}, {"additionalProperties", text}}},
              {"fieldViolations", {{"type", "array"}, {"items", violation}}},
              {"retryAfterSeconds", {{"type", "number"}}}}},
            {"required", array{"type", "title", "status", "detail", "code"}},
            {"additionalProperties", true}};
  }

  object Components() {
    object responses;
    for (const ErrorAnswer& error : kErrors) {
      responses[error.status] =
          object{{"description", error.description},
                 {"content",
                  Content("application/problem+json", {{"$ref", "#/components/schemas/Problem"}})}};
    }
    object schemas = schemas_.Take();
    schemas["Problem"] = ProblemSchema();
    return {{"responses", std::move(responses)}, {"schemas", std::move(schemas)}};
  }

  SchemaBook schemas_;
  std::map<const google::protobuf::MethodDescriptor*, int> operation_uses_;
};

}  // namespace

std::string OpenApiJson(const Api& api, const std::string& version) {
  return Generator().Run(api, version);
}

}  // namespace switchyard::gateway
