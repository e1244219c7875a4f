#include "worker/torch/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

using ::testing::HasSubstr;

std::string File(const std::string& header, const std::string& data) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> (8 * i));
  return file + header + data;
}

std::string Error(const std::string& file) {
  return std::string(ReadSafetensors(file).status().message());
}

Safetensors Sample() {
  Safetensors content;
  content.metadata = {{"note", "says \"hi\"\n"}};
  content.tensors["b"] = {ElementType::kFloat32, {2, 1}, absl::string_view("12345678", 8)};
  content.tensors["a"] = {ElementType::kInt64, {}, absl::string_view("abcdefgh", 8)};
  content.tensors["empty"] = {ElementType::kUint8, {0, 5}, ""};
  return content;
}

TEST(Safetensors, GivesBackWhatWasWritten) {
  const std::string file = WriteSafetensors(Sample());
  const auto read = ReadSafetensors(file);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->metadata, Sample().metadata);
  ASSERT_EQ(read->tensors.size(), 3u);
  EXPECT_EQ(read->tensors.at("b").bytes, "12345678");
  EXPECT_EQ(read->tensors.at("b").shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(read->tensors.at("a").type, ElementType::kInt64);
  EXPECT_TRUE(read->tensors.at("a").shape.empty());
  EXPECT_EQ(WriteSafetensors(*read), file);
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string file = WriteSafetensors(Sample());
  for (size_t i = 0; i < file.size(); ++i) {
    EXPECT_FALSE(ReadSafetensors(file.substr(0, i)).ok()) << i;
  }
}

TEST(Safetensors, RefusesAHeaderLongerThanTheFile) {
  EXPECT_THAT(Error(std::string(8, '\xff') + "{}"), HasSubstr("header claims"));
}

TEST(Safetensors, RefusesTensorsOutsideTheData) {
  const auto tensor = [](const char* shape, const char* offsets) {
    return absl::StrCat(R"({"t":{"dtype":"U8","shape":)", shape, R"(,"data_offsets":)", offsets,
                        "}}");
  };
  EXPECT_THAT(Error(File(tensor("[9]", "[0,9]"), "12345678")), HasSubstr("'t' lies at"));
  EXPECT_THAT(Error(File(tensor("[2]", "[4,2]"), "12345678")), HasSubstr("'t' lies at"));
  EXPECT_THAT(Error(File(tensor("[3]", "[0,8]"), "12345678")), HasSubstr("its shape needs 3"));
  EXPECT_THAT(Error(File(tensor("[1099511627776,1099511627776]", "[0,8]"), "12345678")),
              HasSubstr("too large"));
  EXPECT_THAT(Error(File(tensor("[-1]", "[0,8]"), "12345678")), HasSubstr("shape"));
  EXPECT_THAT(Error(File(tensor("[4]", "[4,8]"), "12345678")), HasSubstr("overlap or leave holes"));
  EXPECT_THAT(Error(File(tensor("[4]", "[0,4]"), "12345678")), HasSubstr("bytes follow"));
}

TEST(Safetensors, RefusesOverlaps) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})";
  EXPECT_THAT(Error(File(header, "12345678")), HasSubstr("overlap"));
}

TEST(Safetensors, RefusesUnknownTypesAndOtherJson) {
  EXPECT_THAT(Error(File(R"({"t":{"dtype":"Q4","shape":[0],"data_offsets":[0,0]}})", "")),
              HasSubstr("'Q4'"));
  EXPECT_THAT(Error(File("[1]", "")), HasSubstr("not a JSON object"));
  EXPECT_FALSE(ReadSafetensors(File(R"({"__metadata__":{"a":1}})", "")).ok());
}

}  // namespace
}  // namespace switchyard::worker
