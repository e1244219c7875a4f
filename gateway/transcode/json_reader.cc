#include "gateway/transcode/json_reader.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/status/error.h"
#include "gateway/transcode/field_text.h"
#include "gateway/transcode/json_cursor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"

namespace switchyard::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Kind = JsonCursor::Kind;

constexpr size_t kMaxViolations = 20;

absl::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kObject:
      return "an object";
    case Kind::kArray:
      return "a list";
    case Kind::kString:
      return "a string";
    case Kind::kNumber:
      return "a number";
    case Kind::kTrue:
    case Kind::kFalse:
      return "true or false";
    case Kind::kNull:
      return "null";
    case Kind::kFault:
      break;
  }
  return "nothing";
}

// Long values are cut: an error is not the place to send a body back.
std::string Shown(absl::string_view text) {
  return JsonQuote(text.size() <= 64 ? std::string(text) : absl::StrCat(text.substr(0, 61), "..."));
}

// Types whose JSON form is their own affair (Any, Struct, Value, wrappers): left to protobuf.
bool LeftToProtobuf(const Descriptor* type) {
  return absl::StartsWith(type->full_name(), "google.protobuf.") && !HasTextForm(type) &&
         type->name() != "Empty";
}

class Reader {
 public:
  explicit Reader(absl::string_view text) : cursor_(text) {}

  absl::Status Run(const std::string& path, Message* message, std::vector<std::string>* present) {
    present_ = present;
    const Kind kind = cursor_.Peek();
    if (kind == Kind::kObject) {
      ReadObject(path, message);
    } else if (cursor_.ok()) {
      Violation(path.empty() ? "body" : path,
                absl::StrCat("an object is expected, not ", NameOf(kind)));
      cursor_.SkipValue();
    }
    cursor_.ExpectEnd();
    if (!cursor_.ok()) return cursor_.status();
    return violations_.empty() ? absl::OkStatus() : InvalidFields(violations_);
  }

 private:
  void Violation(absl::string_view path, std::string description) {
    if (violations_.size() < kMaxViolations) {
      violations_.push_back({std::string(path), std::move(description)});
    }
  }
  static std::string Join(const std::string& path, absl::string_view name) {
    return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
  }
  void WrongKind(const std::string& path, const FieldDescriptor* field, Kind kind) {
    Violation(path, absl::StrCat(ExpectedText(field), " is expected, not ", NameOf(kind)));
    cursor_.SkipValue();
  }

  void ReadObject(const std::string& path, Message* message) {
    absl::InlinedVector<const FieldDescriptor*, 16> seen;
    const bool top = present_ != nullptr && ++objects_ == 1;
    std::string key;
    cursor_.EnterObject();
    while (cursor_.NextKey(&key)) {
      const FieldDescriptor* field = FindField(message->GetDescriptor(), key);
      if (field == nullptr) {
        Violation(Join(path, key),
                  absl::StrCat("unknown field of ", message->GetDescriptor()->name()));
        cursor_.SkipValue();
        continue;
      }
      if (top) present_->push_back(field->name());
      if (std::find(seen.begin(), seen.end(), field) != seen.end()) {
        Violation(Join(path, field->name()), "given twice");
        cursor_.SkipValue();
        continue;
      }
      seen.push_back(field);
      ReadField(Join(path, field->name()), field, message);
    }
  }

  void ReadField(const std::string& path, const FieldDescriptor* field, Message* message) {
    if (cursor_.Peek() == Kind::kNull && !TakesNull(field)) {
      cursor_.TakeWord();
      return;
    }
    if (!CheckOneof(path, field, *message)) return;
    if (field->is_map()) {
      ReadMap(path, field, message);
    } else if (field->is_repeated()) {
      ReadList(path, field, message);
    } else {
      ReadValue(path, field, message);
    }
  }

  static bool TakesNull(const FieldDescriptor* field) {
    return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated() &&
           field->message_type()->full_name() == "google.protobuf.Value";
  }

  bool CheckOneof(const std::string& path, const FieldDescriptor* field, const Message& message) {
    const auto* oneof = field->real_containing_oneof();
    if (oneof == nullptr) return true;
    const FieldDescriptor* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    if (other == nullptr || other == field) return true;
    Violation(path, absl::StrCat("cannot be given together with ", other->name(), ": one ",
                                 oneof->name(), " is taken"));
    cursor_.SkipValue();
    return false;
  }

  void ReadList(const std::string& path, const FieldDescriptor* field, Message* message) {
    if (const Kind kind = cursor_.Peek(); kind != Kind::kArray) {
      if (kind != Kind::kFault) {
        Violation(path, absl::StrCat("a list is expected, not ", NameOf(kind)));
        cursor_.SkipValue();
      }
      return;
    }
    cursor_.EnterArray();
    for (int i = 0; cursor_.NextElement(); ++i) {
      const std::string element_path = absl::StrCat(path, "[", i, "]");
      if (cursor_.Peek() == Kind::kNull) {
        WrongKind(element_path, field, Kind::kNull);
      } else {
        ReadValue(element_path, field, message);
      }
    }
  }

  void ReadMap(const std::string& path, const FieldDescriptor* field, Message* message) {
    if (const Kind kind = cursor_.Peek(); kind != Kind::kObject) {
      if (kind != Kind::kFault) {
        Violation(path, absl::StrCat("an object is expected, not ", NameOf(kind)));
        cursor_.SkipValue();
      }
      return;
    }
    const FieldDescriptor* key_field = field->message_type()->map_key();
    const FieldDescriptor* value_field = field->message_type()->map_value();
    absl::flat_hash_set<std::string> seen;
    std::string key;
    cursor_.EnterObject();
    while (cursor_.NextKey(&key)) {
      const std::string entry_path = absl::StrCat(path, "[", JsonQuote(key), "]");
      if (!seen.insert(key).second) {
        Violation(entry_path, "given twice");
        cursor_.SkipValue();
        continue;
      }
      Message* entry = message->GetReflection()->AddMessage(message, field);
      if (const std::string expected = SetFieldFromText(key, key_field, entry); !expected.empty()) {
        Violation(entry_path, absl::StrCat("the key must be ", expected));
      }
      if (cursor_.Peek() == Kind::kNull) {
        WrongKind(entry_path, value_field, Kind::kNull);
      } else {
        ReadValue(entry_path, value_field, entry);
      }
    }
  }

  void ReadValue(const std::string& path, const FieldDescriptor* field, Message* message) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
        !HasTextForm(field->message_type())) {
      ReadMessage(path, field, message);
    } else {
      ReadScalar(path, field, message);
    }
  }

  void ReadMessage(const std::string& path, const FieldDescriptor* field, Message* message) {
    const auto* reflection = message->GetReflection();
    const bool delegate = LeftToProtobuf(field->message_type());
    if (const Kind kind = cursor_.Peek(); kind != Kind::kObject && !delegate) {
      if (kind != Kind::kFault) WrongKind(path, field, kind);
      return;
    }
    Message* child = field->is_repeated() ? reflection->AddMessage(message, field)
                                          : reflection->MutableMessage(message, field);
    if (!delegate) return ReadObject(path, child);
    const absl::string_view text = cursor_.SkipValue();
    if (!cursor_.ok()) return;
    const auto status = google::protobuf::util::JsonStringToMessage(std::string(text), child);
    if (!status.ok())
      Violation(path, std::string(status.message().data(), status.message().size()));
  }

  void ReadScalar(const std::string& path, const FieldDescriptor* field, Message* message) {
    const Kind kind = cursor_.Peek();
    const bool is_bool = field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
    const bool is_text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
                         field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    std::string text;
    if (kind == Kind::kString && !is_bool) {
      text = cursor_.TakeString();
    } else if (kind == Kind::kNumber && !is_bool && !is_text) {
      text = std::string(cursor_.TakeNumber());
    } else if ((kind == Kind::kTrue || kind == Kind::kFalse) && is_bool) {
      cursor_.TakeWord();
      text = kind == Kind::kTrue ? "true" : "false";
    } else {
      if (kind != Kind::kFault) WrongKind(path, field, kind);
      return;
    }
    if (!cursor_.ok()) return;
    if (const std::string expected = SetFieldFromText(text, field, message); !expected.empty()) {
      Violation(path, absl::StrCat(expected, " is expected, not ", Shown(text)));
    }
  }

  JsonCursor cursor_;
  std::vector<FieldViolation> violations_;
  std::vector<std::string>* present_ = nullptr;
  int objects_ = 0;
};

}  // namespace

absl::Status ReadJson(absl::string_view text, const JsonReadOptions& options, Message* message,
                      std::vector<std::string>* present) {
  return Reader(text).Run(options.path, message, present);
}

}  // namespace switchyard::gateway
