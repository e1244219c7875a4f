#include "gateway/transcode/api.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/transcode/field_text.h"
#include "google/api/annotations.pb.h"
#include "google/api/http.pb.h"
#include "switchyard/v1/options.pb.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;
using google::api::HttpRule;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

absl::Status Fault(const MethodDescriptor* method, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(method->full_name(), ": ", what));
}

const Message* Prototype(const Descriptor* type) {
  // By name: the descriptor may come from another pool than the generated classes.
  const Descriptor* generated =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type->full_name());
  return generated == nullptr
             ? nullptr
             : google::protobuf::MessageFactory::generated_factory()->GetPrototype(generated);
}

const FieldDescriptor* FieldOfMessageType(const Descriptor* type, const char* name,
                                          absl::string_view message_type) {
  const FieldDescriptor* field = type->FindFieldByName(name);
  return field != nullptr && !field->is_repeated() && field->message_type() != nullptr &&
                 field->message_type()->full_name() == message_type
             ? field
             : nullptr;
}

// Looks up an option's field; an empty name is none, an unknown one a fault.
class OptionFields {
 public:
  OptionFields(const MethodDescriptor* method, const char* option)
      : method_(method), option_(option) {}

  const FieldDescriptor* Find(const Descriptor* type, const std::string& name,
                              FieldDescriptor::Type wanted) {
    if (name.empty()) return nullptr;
    const FieldDescriptor* field = type->FindFieldByName(name);
    if (field == nullptr || field->is_repeated() || field->type() != wanted) {
      status_ = Fault(method_, absl::StrCat("option ", option_, " names ", name, ", but ",
                                            type->name(), " has no such field of that type"));
    }
    return field;
  }
  const absl::Status& status() const { return status_; }

 private:
  const MethodDescriptor* method_;
  const char* option_;
  absl::Status status_;
};

absl::Status ReadRawBody(Method* method) {
  const auto& options = method->descriptor->options();
  if (!options.HasExtension(api::streamed_body)) return absl::OkStatus();
  const api::StreamedBody& option = options.GetExtension(api::streamed_body);
  OptionFields fields(method->descriptor, "streamed_body");
  const Descriptor* in = method->request->GetDescriptor();
  const Descriptor* out = method->response->GetDescriptor();
  method->has_raw_body = true;
  method->raw.request_data = fields.Find(in, option.request_field(), FieldDescriptor::TYPE_BYTES);
  method->raw.response_data =
      fields.Find(out, option.response_field(), FieldDescriptor::TYPE_BYTES);
  method->raw.response_media_type =
      fields.Find(out, option.response_media_type_field(), FieldDescriptor::TYPE_STRING);
  method->raw.response_length =
      fields.Find(out, option.response_length_field(), FieldDescriptor::TYPE_INT64);
  method->raw.request_etag =
      fields.Find(in, option.request_etag_field(), FieldDescriptor::TYPE_STRING);
  method->raw.request_offset =
      fields.Find(in, option.request_offset_field(), FieldDescriptor::TYPE_INT64);
  method->raw.request_length =
      fields.Find(in, option.request_length_field(), FieldDescriptor::TYPE_INT64);
  method->raw.response_offset =
      fields.Find(out, option.response_offset_field(), FieldDescriptor::TYPE_INT64);
  method->raw.response_range =
      fields.Find(out, option.response_range_field(), FieldDescriptor::TYPE_INT64);
  return fields.status();
}

absl::Status ReadEventForm(Method* method) {
  const auto& options = method->descriptor->options();
  if (!options.HasExtension(api::event_stream)) return absl::OkStatus();
  const api::EventStream& option = options.GetExtension(api::event_stream);
  OptionFields fields(method->descriptor, "event_stream");
  const Descriptor* out = method->response->GetDescriptor();
  method->events.id = fields.Find(out, option.id_field(), FieldDescriptor::TYPE_STRING);
  method->events.resume = fields.Find(method->request->GetDescriptor(), option.resume_field(),
                                      FieldDescriptor::TYPE_STRING);
  if (!option.event_oneof().empty()) {
    method->events.event = out->FindOneofByName(option.event_oneof());
    if (method->events.event == nullptr) {
      return Fault(method->descriptor, "option event_stream names a oneof that is not there");
    }
  }
  return fields.status();
}

std::pair<std::string, std::string> VerbAndPath(const HttpRule& rule) {
  switch (rule.pattern_case()) {
    case HttpRule::kGet:
      return {"GET", rule.get()};
    case HttpRule::kPut:
      return {"PUT", rule.put()};
    case HttpRule::kPost:
      return {"POST", rule.post()};
    case HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    case HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    case HttpRule::kCustom:
      return {rule.custom().kind(), rule.custom().path()};
    case HttpRule::PATTERN_NOT_SET:
      break;
  }
  return {};
}

absl::StatusOr<Binding> MakeBinding(const Method* method, const HttpRule& rule) {
  Binding binding;
  binding.method = method;
  const auto [verb, path] = VerbAndPath(rule);
  binding.verb = verb;
  absl::StatusOr<HttpTemplate> parsed = HttpTemplate::Parse(path);
  if (!parsed.ok()) return Fault(method->descriptor, parsed.status().message());
  binding.path = *std::move(parsed);
  const Descriptor* request = method->request->GetDescriptor();
  for (const std::string& name : binding.path.VariableNames()) {
    const auto fields = ResolvePath(request, name);
    if (fields.empty() || fields.back()->is_repeated() ||
        fields.back()->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Fault(method->descriptor, absl::StrCat("path variable ", name, " is no scalar field"));
    }
  }
  binding.whole_body = rule.body() == "*";
  if (!binding.whole_body && !rule.body().empty()) {
    binding.body = request->FindFieldByName(rule.body());
    if (binding.body == nullptr) return Fault(method->descriptor, "no such body field");
  }
  if (!rule.response_body().empty()) {
    binding.response_body =
        method->response->GetDescriptor()->FindFieldByName(rule.response_body());
    if (binding.response_body == nullptr) return Fault(method->descriptor, "no response_body");
  }
  return binding;
}

absl::StatusOr<std::unique_ptr<Method>> ReadMethod(const MethodDescriptor* descriptor) {
  auto method = std::make_unique<Method>();
  method->descriptor = descriptor;
  method->grpc_path =
      absl::StrCat("/", descriptor->service()->full_name(), "/", descriptor->name());
  method->request = Prototype(descriptor->input_type());
  method->response = Prototype(descriptor->output_type());
  if (method->request == nullptr || method->response == nullptr) {
    return Fault(descriptor, "its messages are not linked into this binary");
  }
  const Descriptor* in = method->request->GetDescriptor();
  if (const FieldDescriptor* id = in->FindFieldByName("request_id");
      id != nullptr && id->type() == FieldDescriptor::TYPE_STRING) {
    method->request_id = id;
  }
  method->update_mask = FieldOfMessageType(in, "update_mask", "google.protobuf.FieldMask");
  method->timeout = FieldOfMessageType(in, "timeout", "google.protobuf.Duration");
  const auto& options = descriptor->options();
  method->reads = options.GetExtension(google::api::http).pattern_case() == HttpRule::kGet;
  if (options.HasExtension(api::success_status)) {
    method->success_status = options.GetExtension(api::success_status);
  }
  if (absl::Status status = ReadRawBody(method.get()); !status.ok()) return status;
  if (absl::Status status = ReadEventForm(method.get()); !status.ok()) return status;
  return method;
}

}  // namespace

std::vector<const FieldDescriptor*> ResolvePath(const Descriptor* type, absl::string_view path) {
  std::vector<const FieldDescriptor*> fields;
  for (const absl::string_view part : absl::StrSplit(path, '.')) {
    const FieldDescriptor* field = type == nullptr ? nullptr : FindField(type, part);
    if (field == nullptr) return {};
    fields.push_back(field);
    type = field->is_repeated() ? nullptr : field->message_type();
  }
  return fields;
}

absl::StatusOr<std::unique_ptr<Api>> Api::Build(
    const std::vector<const ServiceDescriptor*>& services) {
  auto result = std::make_unique<Api>();
  for (const ServiceDescriptor* service : services) {
    if (absl::Status status = result->AddService(service); !status.ok()) return status;
  }
  if (absl::Status status = result->CheckConflicts(); !status.ok()) return status;
  std::stable_sort(
      result->bindings_.begin(), result->bindings_.end(),
      [](const Binding& a, const Binding& b) { return a.path.MoreSpecificThan(b.path); });
  return result;
}

absl::Status Api::AddService(const ServiceDescriptor* service) {
  services_.push_back(service);
  for (int i = 0; i < service->method_count(); ++i) {
    if (absl::Status status = AddMethod(service->method(i)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Api::AddMethod(const MethodDescriptor* descriptor) {
  absl::StatusOr<std::unique_ptr<Method>> method = ReadMethod(descriptor);
  if (!method.ok()) return method.status();
  by_grpc_path_[(*method)->grpc_path] = method->get();
  if (descriptor->options().HasExtension(google::api::http)) {
    const HttpRule& rule = descriptor->options().GetExtension(google::api::http);
    std::vector<const HttpRule*> rules = {&rule};
    for (const HttpRule& more : rule.additional_bindings()) rules.push_back(&more);
    for (const HttpRule* each : rules) {
      absl::StatusOr<Binding> binding = MakeBinding(method->get(), *each);
      if (!binding.ok()) return binding.status();
      bindings_.push_back(*std::move(binding));
    }
  }
  methods_.push_back(*std::move(method));
  return absl::OkStatus();
}

absl::Status Api::CheckConflicts() const {
  absl::flat_hash_set<std::string> seen;
  for (const Binding& binding : bindings_) {
    if (!seen.insert(absl::StrCat(binding.verb, " ", binding.path.Shape())).second) {
      return Fault(binding.method->descriptor, absl::StrCat(binding.verb, " ", binding.path.text(),
                                                            " is taken by another rule"));
    }
  }
  return absl::OkStatus();
}

const Method* Api::FindByGrpcPath(absl::string_view path) const {
  const auto found = by_grpc_path_.find(path);
  return found == by_grpc_path_.end() ? nullptr : found->second;
}

}  // namespace switchyard::gateway
