// Every element of every proto says what it means: the API reference, the configuration reference
// and OpenAPI are made from these comments.

#include <filesystem>
#include <string>
#include <vector>

#include "google/protobuf/compiler/importer.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace switchyard {
namespace {

namespace compiler = google::protobuf::compiler;

class Faults final : public compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int, const std::string& message) override {
    ADD_FAILURE() << file << ":" << line + 1 << ": " << message;
  }
};

template <typename Element>
void ExpectComment(const Element* element) {
  google::protobuf::SourceLocation location;
  const bool found = element->GetSourceLocation(&location);
  EXPECT_TRUE(found && !location.leading_comments.empty())
      << element->full_name() << " has no comment: " << element->file()->name() << ":"
      << location.start_line + 1;
}

void CheckEnum(const google::protobuf::EnumDescriptor* type) {
  ExpectComment(type);
  for (int i = 0; i < type->value_count(); ++i) {
    google::protobuf::SourceLocation location;
    type->value(i)->GetSourceLocation(&location);
    EXPECT_FALSE(location.leading_comments.empty())
        << type->value(i)->full_name() << " has no comment";
  }
}

void CheckMessage(const google::protobuf::Descriptor* type) {
  if (type->options().map_entry()) return;
  ExpectComment(type);
  for (int i = 0; i < type->field_count(); ++i) ExpectComment(type->field(i));
  for (int i = 0; i < type->enum_type_count(); ++i) CheckEnum(type->enum_type(i));
  for (int i = 0; i < type->nested_type_count(); ++i) CheckMessage(type->nested_type(i));
}

void CheckFile(const google::protobuf::FileDescriptor* file) {
  for (int i = 0; i < file->message_type_count(); ++i) CheckMessage(file->message_type(i));
  for (int i = 0; i < file->enum_type_count(); ++i) CheckEnum(file->enum_type(i));
  for (int i = 0; i < file->service_count(); ++i) {
    ExpectComment(file->service(i));
    for (int j = 0; j < file->service(i)->method_count(); ++j)
      ExpectComment(file->service(i)->method(j));
  }
}

TEST(Tidy, EveryElementOfEveryProtoIsCommented) {
  compiler::DiskSourceTree tree;
  tree.MapPath("", SWITCHYARD_PROTOS);
  tree.MapPath("", GOOGLEAPIS_PROTOS);
  tree.MapPath("", "/usr/include");
  Faults faults;
  compiler::Importer importer(&tree, &faults);
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SWITCHYARD_PROTOS)) {
    if (entry.path().extension() != ".proto") continue;
    const auto* file =
        importer.Import(std::filesystem::relative(entry.path(), SWITCHYARD_PROTOS).string());
    ASSERT_NE(file, nullptr) << entry.path();
    CheckFile(file);
    ++files;
  }
  EXPECT_GT(files, 10);
}

}  // namespace
}  // namespace switchyard
