#include "gateway/transcode/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "switchyard/v1/fleet_service.pb.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(absl::string_view json) {
  api::Job job;
  return std::string(ReadJson(json, {"job"}, &job).message());
}

TEST(JsonReader, ReadsEveryKindOfField) {
  api::Job job;
  ASSERT_TRUE(
      ReadJson(R"({"priority": 3, "device": "cpu", "labels": {"a": "1", "b": "x\u00e9\ud83d\ude00"},
      "notBefore": "2026-01-31T12:00:00.5Z", "timeout": "1.5s", "state": "QUEUED", "progress": 0.25,
      "noop": {"payload": "aGk=", "crash_signal": 9}, "attempts": [{"number": 1, "epoch": "18446744073709551615"}]})",
               {}, &job)
          .ok());
  EXPECT_EQ(job.priority(), 3u);
  EXPECT_EQ(job.labels().at("b"), "x\u00e9\U0001F600");
  EXPECT_EQ(job.not_before().nanos(), 500'000'000);
  EXPECT_EQ(job.timeout().nanos(), 500'000'000);
  EXPECT_EQ(job.state(), api::Job::QUEUED);
  EXPECT_EQ(job.noop().payload(), "hi");
  EXPECT_EQ(job.noop().crash_signal(), 9u);
  EXPECT_EQ(job.attempts(0).epoch(), UINT64_MAX);
}

TEST(JsonReader, TakesWhatProto3JsonTakes) {
  api::Job job;
  // Numbers as strings, integers with a point or an exponent, enums by number, web-safe base64,
  // nulls.
  ASSERT_TRUE(ReadJson(R"({"priority": "4", "state": 2, "progress": "0.5", "device": null,
      "noop": {"payload": "-_8", "crashSignal": 1e1, "crashAttempts": 2.0}})",
                       {}, &job)
                  .ok());
  EXPECT_EQ(job.priority(), 4u);
  EXPECT_EQ(job.noop().payload(), "\xFB\xFF");
  EXPECT_EQ(job.noop().crash_signal(), 10u);
  EXPECT_EQ(job.noop().crash_attempts(), 2u);
}

TEST(JsonReader, NamesEveryFieldAtFault) {
  const std::string error = ErrorOf(
      R"({"priority": -1, "nope": {"x": [1]}, "device": 7, "noop": {"hold": "soon"}, "labels": []})");
  EXPECT_THAT(error, HasSubstr("job.priority: an unsigned 32-bit integer is expected, not \"-1\""));
  EXPECT_THAT(error, HasSubstr("job.nope: unknown field of Job"));
  EXPECT_THAT(error, HasSubstr("job.device: a string is expected, not a number"));
  EXPECT_THAT(error, HasSubstr("job.noop.hold: a duration such as \"1.5s\" is expected"));
  EXPECT_THAT(error, HasSubstr("job.labels: an object is expected, not a list"));
}

TEST(JsonReader, RefusesDuplicatesAndSecondOfAOneof) {
  EXPECT_THAT(ErrorOf(R"({"priority": 1, "priority": 2})"), HasSubstr("job.priority: given twice"));
  EXPECT_THAT(ErrorOf(R"({"notBefore": null, "not_before": null})"),
              HasSubstr("job.not_before: given twice"));
  EXPECT_THAT(ErrorOf(R"({"labels": {"a": "1", "a": "2"}})"),
              HasSubstr("job.labels[\"a\"]: given twice"));
  EXPECT_THAT(ErrorOf(R"({"noop": {}, "train": {}})"),
              HasSubstr("job.train: cannot be given together with noop"));
}

TEST(JsonReader, RefusesNumbersOutOfRange) {
  EXPECT_THAT(ErrorOf(R"({"priority": 4294967296})"), HasSubstr("unsigned 32-bit"));
  EXPECT_THAT(ErrorOf(R"({"priority": 1.5})"), HasSubstr("unsigned 32-bit"));
  EXPECT_THAT(ErrorOf(R"({"progress": 1e999})"), HasSubstr("a number is expected"));
  EXPECT_THAT(ErrorOf(R"({"attempts": [{"epoch": 18446744073709551616}]})"),
              HasSubstr("job.attempts[0].epoch: an unsigned 64-bit integer"));
}

TEST(JsonReader, SaysWhereTheTextIsNoJson) {
  for (const char* bad :
       {"", "{", "}", "{\"a\"}", "{\"priority\":}", "{\"priority\":1,}", "{'a':1}",
        "{\"priority\":01}", "{\"priority\":1.}", "{\"device\":\"\x01\"}", "{\"device\":\"\\x\"}",
        "{\"device\":\"\\ud800\"}", "{\"device\":\"\xff\"}", "{\"device\":\"\xed\xa0\x80\"}",
        "{} {}", "{\"device\":\"a", "nul", "[1,]"}) {
    EXPECT_THAT(ErrorOf(bad), HasSubstr("the body is not valid JSON: line 1, column ")) << bad;
  }
  EXPECT_THAT(ErrorOf("{\n  \"priority\": 1\n  \"device\": 2}"), HasSubstr("line 3, column 3"));
}

TEST(JsonReader, DeepNestingIsAnErrorNotACrash) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(ErrorOf(absl::StrCat("{\"x\":", deep)), HasSubstr("nested deeper than 64 levels"));
}

// A fuzzer's cheap sibling: whatever a good text turns into, it is read or refused.
TEST(JsonReader, DamagedTextsAreReadOrRefused) {
  const std::string good =
      R"({"priority": 3, "labels": {"a": "\u00e9\ud83d\ude00"}, "noop": {"payload": "aGk="}, "timeout": "1.5s",)"
      R"( "attempts": [{"number": 1, "epoch": "7"}, null], "progress": -1.5e-3, "error": {"details": [{"@type": "x"}]}})";
  std::mt19937 random(42);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (int changes = 1 + random() % 3; changes > 0; --changes) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 8);
          break;
        default:
          text.insert(at, 1 + random() % 4, good[random() % good.size()]);
      }
      if (text.empty()) text.push_back('{');
    }
    api::Job job;
    const absl::Status status = ReadJson(text, {}, &job);
    refused += !status.ok();
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  }
  EXPECT_GT(refused, 10'000);
}

TEST(JsonReader, RefusesABodyThatIsNoObject) {
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("job: an object is expected, not a list"));
  EXPECT_THAT(ErrorOf("3"), HasSubstr("job: an object is expected, not a number"));
}

TEST(JsonReader, TellsWhichFieldsWerePresent) {
  api::Job job;
  std::vector<std::string> present;
  ASSERT_TRUE(
      ReadJson(R"({"priority": 1, "labels": null, "noop": {"payload": ""}})", {}, &job, &present)
          .ok());
  EXPECT_THAT(present, ElementsAre("priority", "labels", "noop"));
}

TEST(JsonReader, ReadsAnyThroughProtobuf) {
  api::Job job;
  ASSERT_TRUE(ReadJson(R"({"error": {"code": 5, "details": [
      {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "X"}]}})",
                       {}, &job)
                  .ok());
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(job.error().details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "X");
}

}  // namespace
}  // namespace switchyard::gateway
