#include "gateway/transcode/json_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gateway/transcode/json_reader.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/rpc/error_details.pb.h"
#include "switchyard/v1/event.pb.h"
#include "switchyard/v1/fleet_service.pb.h"
#include "switchyard/v1/job_service.pb.h"

namespace switchyard::gateway {
namespace {

namespace api = ::switchyard::v1;

std::string Json(const google::protobuf::Message& message) {
  std::string json;
  AppendJson(message, &json);
  return json;
}

api::Job FullJob() {
  api::Job job;
  job.set_id("0abc");
  job.set_priority(3);
  job.set_state(api::Job::RUNNING);
  job.set_progress(0.1);
  job.set_message("quote \" back \\ line \n tab \t del \x7f é 😀");
  job.mutable_labels()->insert({"b", "2"});
  job.mutable_labels()->insert({"a", "1"});
  job.mutable_create_time()->set_seconds(1'700'000'000);
  job.mutable_create_time()->set_nanos(123'456'000);
  job.mutable_timeout()->set_seconds(90);
  job.mutable_noop()->set_payload(std::string("\0\xff\x10", 3));
  auto* attempt = job.add_attempts();
  attempt->set_number(1);
  attempt->set_epoch(UINT64_MAX);
  google::rpc::ErrorInfo info;
  info.set_reason("X");
  job.mutable_error()->set_code(3);
  job.mutable_error()->add_details()->PackFrom(info);
  return job;
}

TEST(JsonWriter, ProtobufReadsItBackAlike) {
  const api::Job job = FullJob();
  api::Job back;
  const auto status = google::protobuf::util::JsonStringToMessage(Json(job), &back);
  ASSERT_TRUE(status.ok()) << status.ToString() << Json(job);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(job, back)) << Json(job);
}

TEST(JsonWriter, OurReaderReadsProtobufsTextAndOurs) {
  const api::Job job = FullJob();
  std::string theirs;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(job, &theirs).ok());
  for (const std::string& text : {theirs, Json(job)}) {
    api::Job back;
    const auto status = ReadJson(text, {}, &back);
    ASSERT_TRUE(status.ok()) << status << text;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(job, back)) << text;
  }
}

TEST(JsonWriter, NumbersAreThereEvenWhenZero) {
  EXPECT_EQ(Json(api::Metric()), R"({"step":"0","value":0})");
  EXPECT_EQ(Json(api::ClassUse()), R"({"running":0,"assigned":0,"limit":0})");
}

TEST(JsonWriter, AnEmptyListIsThereAtTheTopOnly) {
  EXPECT_EQ(Json(api::ListJobsResponse()), R"({"jobs":[]})");
  api::ListDevicesResponse devices;
  devices.add_devices();
  EXPECT_EQ(Json(devices),
            R"({"devices":[{"memoryTotalBytes":"0","memoryUsedBytes":"0","cores":0,)"
            R"("runnerContextBytes":"0","memoryPromisedBytes":"0","servingBudgetBytes":"0"}]})");
}

TEST(JsonWriter, SpecialFloats) {
  api::Metric metric;
  metric.set_name("x");
  metric.set_value(std::nan(""));
  EXPECT_EQ(Json(metric), R"({"name":"x","step":"0","value":"NaN"})");
  metric.set_value(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(Json(metric), R"({"name":"x","step":"0","value":"-Infinity"})");
  metric.set_value(0.1);
  EXPECT_EQ(Json(metric), R"({"name":"x","step":"0","value":0.1})");
}

TEST(JsonWriter, AnAnyOfUnknownTypeIsNoError) {
  google::rpc::Status status;
  auto* detail = status.add_details();
  detail->set_type_url("type.googleapis.com/not.Known");
  detail->set_value("hi");
  EXPECT_EQ(Json(status),
            R"({"code":0,"details":[{"@type":"type.googleapis.com/not.Known","value":"aGk="}]})");
}

TEST(JsonWriter, MapsAreOrderedByKey) {
  api::Job job;
  for (const char* key : {"c", "a", "b"}) job.mutable_labels()->insert({key, key});
  std::string json;
  AppendFieldJson(job, api::Job::descriptor()->FindFieldByName("labels"), &json);
  EXPECT_EQ(json, R"({"a":"a","b":"b","c":"c"})");
}

TEST(JsonWriter, UnknownEnumNumbersStayNumbers) {
  api::Progress progress;
  progress.set_phase(static_cast<api::Job::Phase>(99));
  EXPECT_EQ(Json(progress), R"({"fraction":0,"phase":99})");
}

}  // namespace
}  // namespace switchyard::gateway
