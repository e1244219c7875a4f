#include "scheduler/pipeline/field_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

FieldPath Path(absl::string_view text) {
  auto path = ParseFieldPath(*v1::Job::descriptor(), text);
  EXPECT_TRUE(path.ok()) << path.status();
  return *std::move(path);
}

std::string Fault(absl::string_view text) {
  return std::string(ParseFieldPath(*v1::Job::descriptor(), text).status().message());
}

TEST(FieldPath, WritesAndReadsAFieldDeepInside) {
  v1::Job job;
  ASSERT_TRUE(WriteField(job, Path("predict.source.artifact"), {std::string("hash")}).ok());
  ASSERT_TRUE(WriteField(job, Path("predict.version"), {int64_t{7}}).ok());
  EXPECT_EQ(job.predict().source().artifact(), "hash");
  EXPECT_EQ(job.predict().version(), 7u);
  EXPECT_THAT(ReadField(job, Path("predict.version")), ElementsAre(FieldValue(int64_t{7})));
}

TEST(FieldPath, AListIsReadWholeAndAppendedTo) {
  v1::Job job;
  job.mutable_command()->add_arguments("a");
  ASSERT_TRUE(
      WriteField(job, Path("command.arguments"), {std::string("b"), std::string("c")}).ok());
  EXPECT_THAT(ReadField(job, Path("command.arguments")),
              ElementsAre(FieldValue("a"), FieldValue("b"), FieldValue("c")));
  EXPECT_THAT(ReadField(job, Path("command.arguments[1]")), ElementsAre(FieldValue("b")));
  EXPECT_THAT(ReadField(job, Path("command.arguments[9]")), IsEmpty());
}

TEST(FieldPath, AnElementOfAListIsNamedByItsIndex) {
  v1::Job job;
  const FieldPath path = Path("command.inputs[0].artifact");
  EXPECT_FALSE(WriteField(job, path, {std::string("hash")}).ok());
  job.mutable_command()->add_inputs();
  ASSERT_TRUE(WriteField(job, path, {std::string("hash")}).ok());
  EXPECT_THAT(ReadField(job, path), ElementsAre(FieldValue("hash")));
}

TEST(FieldPath, WhatIsNotSetHasNoValue) {
  EXPECT_THAT(ReadField(v1::Job(), Path("predict.version")), IsEmpty());
  EXPECT_THAT(ReadField(v1::Job(), Path("device")), IsEmpty());
}

TEST(FieldPath, AFaultNamesThePartAndWhatThereIs) {
  EXPECT_THAT(Fault("predict.modle"), HasSubstr("modle"));
  EXPECT_THAT(Fault("predict.modle"), HasSubstr("version"));
  EXPECT_THAT(Fault("predict.model.x"), HasSubstr("nothing below"));
  EXPECT_THAT(Fault("command.inputs.artifact"), HasSubstr("[N]"));
  EXPECT_THAT(Fault("device[1]"), HasSubstr("index"));
  EXPECT_THAT(Fault("command.inputs[x]"), HasSubstr("NAME[N]"));
}

TEST(FieldPath, ANumberThatDoesNotFitIsRefused) {
  v1::Job job;
  EXPECT_FALSE(WriteField(job, Path("predict.version"), {int64_t{-1}}).ok());
  EXPECT_FALSE(WriteField(job, Path("predict.version"), {int64_t{1} << 40}).ok());
  EXPECT_FALSE(WriteField(job, Path("predict.version"), {std::string("7")}).ok());
  EXPECT_FALSE(WriteField(job, Path("predict.version"), {}).ok());
}

TEST(FieldPath, TextsBecomeValuesOfTheFieldsType) {
  EXPECT_EQ(*ParseValue("12", ValueType::kWhole), FieldValue(int64_t{12}));
  EXPECT_EQ(*ParseValue("0.5", ValueType::kReal), FieldValue(0.5));
  EXPECT_EQ(*ParseValue("true", ValueType::kBool), FieldValue(true));
  EXPECT_FALSE(ParseValue("twelve", ValueType::kWhole).ok());
  EXPECT_TRUE(Fits(ValueType::kWhole, ValueType::kReal));
  EXPECT_FALSE(Fits(ValueType::kReal, ValueType::kWhole));
}

}  // namespace
}  // namespace switchyard::scheduler
