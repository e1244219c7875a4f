#include "gateway/transcode/request_builder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/log/log.h"
#include "common/status/error.h"
#include "gateway/transcode/field_text.h"
#include "gateway/transcode/json_reader.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/text_format.h"

namespace switchyard::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::Message;

// `+` is a space in queries, unlike in paths.
std::string DecodeQueryText(absl::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return PercentDecode(spaced, false);
}

// The message that holds the last field of `fields`.
Message* Holder(const std::vector<const FieldDescriptor*>& fields, Message* message) {
  for (size_t i = 0; i + 1 < fields.size(); ++i) {
    message = message->GetReflection()->MutableMessage(message, fields[i]);
  }
  return message;
}

class Builder {
 public:
  Builder(const Binding& binding, const RequestParts& parts)
      : binding_(binding), parts_(parts), request_(binding.method->request->New()) {}

  absl::StatusOr<std::unique_ptr<Message>> Run() {
    if (absl::Status status = ReadBody(); !status.ok()) return status;
    if (binding_.whole_body) {
      RefuseQuery();
    } else {
      ReadQuery();
    }
    SetPathValues();
    FillMask();
    FillFromHeaders();
    if (!violations_.empty()) return InvalidFields(violations_);
    return std::move(request_);
  }

 private:
  absl::Status ReadBody() {
    if (binding_.method->raw.request_data != nullptr) return absl::OkStatus();
    const FieldDescriptor* field = binding_.body;
    if (!binding_.whole_body && field == nullptr) {
      if (parts_.body.empty()) return absl::OkStatus();
      return MakeError(absl::StatusCode::kInvalidArgument, "BODY_NOT_TAKEN",
                       "this method takes no body; its fields go into the query");
    }
    if (parts_.body.empty() && field == nullptr) return absl::OkStatus();
    if (field == nullptr) return ReadJson(parts_.body, {}, request_.get(), &present_);
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
        HasTextForm(field->message_type())) {
      return ReadFieldBody(field);
    }
    Message* child = request_->GetReflection()->MutableMessage(request_.get(), field);
    if (parts_.body.empty()) return absl::OkStatus();
    return ReadJson(parts_.body, {field->name()}, child, &present_);
  }

  // A body that is a list or a scalar is read as the one field of an object.
  absl::Status ReadFieldBody(const FieldDescriptor* field) {
    return ReadJson(absl::StrCat("{\"", field->name(), "\":", parts_.body, "}"), {},
                    request_.get());
  }

  void RefuseQuery() {
    if (parts_.query.empty()) return;
    const size_t end = std::min(parts_.query.find_first_of("=&"), parts_.query.size());
    Violation(DecodeQueryText(parts_.query.substr(0, end)),
              "query parameters are not taken here; put it into the body");
  }

  void ReadQuery() {
    for (const absl::string_view pair : absl::StrSplit(parts_.query, '&', absl::SkipEmpty())) {
      const std::pair<absl::string_view, absl::string_view> split =
          absl::StrSplit(pair, absl::MaxSplits('=', 1));
      ReadParameter(DecodeQueryText(split.first), DecodeQueryText(split.second));
    }
  }

  void ReadParameter(const std::string& name, const std::string& value) {
    const auto fields = ResolvePath(request_->GetDescriptor(), name);
    if (fields.empty()) return Violation(name, "unknown query parameter");
    const FieldDescriptor* field = fields.back();
    if (fields.front() == binding_.body || fields.front() == binding_.method->raw.request_data) {
      return Violation(name, "comes from the body, not from the query");
    }
    if (field->is_map() || (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                            !HasTextForm(field->message_type()))) {
      return Violation(name, "cannot be given as a query parameter");
    }
    if (IsPathVariable(fields)) return Violation(name, "comes from the path, not from the query");
    if (!field->is_repeated()) {
      if (std::find(set_.begin(), set_.end(), fields) != set_.end()) {
        return Violation(name, "given twice");
      }
      set_.push_back(fields);
    }
    Set(name, fields, value);
  }

  bool IsPathVariable(const std::vector<const FieldDescriptor*>& fields) const {
    for (const auto& [path, value] : *parts_.path) {
      if (ResolvePath(request_->GetDescriptor(), path) == fields) return true;
    }
    return false;
  }

  void SetPathValues() {
    for (const auto& [path, value] : *parts_.path) {
      const auto fields = ResolvePath(request_->GetDescriptor(), path);
      Message* holder = Holder(fields, request_.get());
      const bool in_body = holder->GetReflection()->HasField(*holder, fields.back());
      const std::string given = in_body ? ScalarText(*holder, fields.back()) : std::string();
      Set(path, fields, value);
      if (in_body && given != ScalarText(*holder, fields.back())) {
        Violation(path, "the body names another one than the path");
      }
    }
  }

  // Only to compare two values of one field.
  static std::string ScalarText(const Message& message, const FieldDescriptor* field) {
    std::string text;
    google::protobuf::TextFormat::PrintFieldValueToString(message, field, -1, &text);
    return text;
  }

  void Set(const std::string& name, const std::vector<const FieldDescriptor*>& fields,
           const std::string& value) {
    const std::string expected =
        SetFieldFromText(value, fields.back(), Holder(fields, request_.get()));
    if (!expected.empty()) {
      Violation(name, absl::StrCat(expected, " is expected, not ", JsonQuote(value)));
    }
  }

  // AIP-134: no mask means the fields that the body holds.
  void FillMask() {
    const FieldDescriptor* field = binding_.method->update_mask;
    if (field == nullptr || binding_.body == nullptr) return;
    const auto* reflection = request_->GetReflection();
    if (reflection->HasField(*request_, field)) return;
    auto* mask = dynamic_cast<FieldMask*>(reflection->MutableMessage(request_.get(), field));
    for (const std::string& name : present_) {
      if (!IsPathName(absl::StrCat(binding_.body->name(), ".", name))) mask->add_paths(name);
    }
  }

  bool IsPathName(absl::string_view name) const {
    return std::any_of(parts_.path->begin(), parts_.path->end(),
                       [&](const auto& value) { return value.first == name; });
  }

  void FillFromHeaders() {
    const Method& method = *binding_.method;
    if (!parts_.idempotency_key.empty() && LacksRequestId(method, *request_)) {
      SetRequestId(method, parts_.idempotency_key, request_.get());
    }
    if (!parts_.last_event_id.empty() && method.events.resume != nullptr) {
      request_->GetReflection()->SetString(request_.get(), method.events.resume,
                                           std::string(parts_.last_event_id));
    }
  }

  void Violation(std::string field, std::string description) {
    violations_.push_back({std::move(field), std::move(description)});
  }

  const Binding& binding_;
  const RequestParts& parts_;
  std::unique_ptr<Message> request_;
  std::vector<FieldViolation> violations_;
  std::vector<std::string> present_;
  std::vector<std::vector<const FieldDescriptor*>> set_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Message>> BuildRequest(const Binding& binding,
                                                      const RequestParts& parts) {
  return Builder(binding, parts).Run();
}

bool LacksRequestId(const Method& method, const Message& request) {
  return method.request_id != nullptr &&
         !request.GetReflection()->HasField(request, method.request_id);
}

void SetRequestId(const Method& method, absl::string_view id, Message* request) {
  request->GetReflection()->SetString(request, method.request_id, std::string(id));
}

}  // namespace switchyard::gateway
