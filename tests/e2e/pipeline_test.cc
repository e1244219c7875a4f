// Pipelines, arrays and schedules through the gateway's JSON door, against real processes, one of
// which is killed on the way.

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "switchyard/v1/array_service.pb.h"
#include "switchyard/v1/pipeline.pb.h"
#include "switchyard/v1/schedule_service.pb.h"
#include "tests/e2e/digits.h"
#include "tests/e2e/http_client.h"

namespace switchyard::e2e {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Pipelines : public ::testing::Test {
 protected:
  void SetUp() override { fleet_.Start(); }

  template <typename Message>
  Message Call(const std::string& method, const std::string& target,
               const std::string& body = "{}") {
    const HttpReply reply = Http(fleet_.http(), method, target, method == "GET" ? "" : body);
    EXPECT_LT(reply.status, 300) << target << ": " << reply.body;
    Message message;
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const auto status = google::protobuf::util::JsonStringToMessage(reply.body, &message, options);
    EXPECT_TRUE(status.ok()) << reply.body;
    return message;
  }
  v1::Pipeline Create(const std::string& json) {
    return Call<v1::Pipeline>("POST", "/api/v1/pipelines", json);
  }
  v1::Pipeline WaitPipeline(const std::string& id) {
    // A call ends after a minute at the latest: the client's own bound.
    for (int i = 0; i < 10; ++i) {
      v1::Pipeline pipeline = Call<v1::Pipeline>(
          "POST", absl::StrCat("/api/v1/pipelines/", id, ":wait"), "{\"timeout\": \"20s\"}");
      if (pipeline.state() != v1::Pipeline::RUNNING) return pipeline;
    }
    ADD_FAILURE() << "pipeline " << id << " does not end";
    return v1::Pipeline();
  }
  static const v1::PipelineStep& Step(const v1::Pipeline& pipeline, const std::string& name) {
    for (const v1::PipelineStep& step : pipeline.steps()) {
      if (step.name() == name) return step;
    }
    ADD_FAILURE() << "no step " << name;
    return v1::PipelineStep::default_instance();
  }
  v1::Job FirstJob(const v1::Pipeline& pipeline, const std::string& step) {
    return fleet_.Get(Step(pipeline, step).status().first_job());
  }
  std::string TrainThenPredict() {
    const std::string root = fleet_.data_root();
    return absl::StrCat(R"({"name": "digits", "steps": [
      {"name": "train", "job": {"reuse": true, "train": {"saveAs": "digits", "epochs": 2, "seed": 7,
        "train": {"path": ")",
                        root, R"(/train"}}}},
      {"name": "predict", "job": {"predict": {"topK": 1}},
       "forEach": {"values": {"values": [")",
                        root, "/test/1\", \"", root, "/test/2\", \"", root,
                        R"(/late"]}},
       "inputs": [
         {"field": "predict.model", "output": {"step": "train", "field": "model"}},
         {"field": "predict.version", "output": {"step": "train", "field": "version"}},
         {"field": "predict.source.path", "item": true}]},
      {"name": "last", "after": ["predict"], "job": {"noop": {"payload": "ZG9uZQ=="}}}]})");
  }

  Fleet fleet_;
};

TEST_F(Pipelines, TrainsPredictsFailsIsResumedAndReusesOverAKilledScheduler) {
  MakeDigits(fleet_);
  const v1::Pipeline made = Create(TrainThenPredict());
  EXPECT_EQ(made.state(), v1::Pipeline::RUNNING);
  const std::string training = Step(made, "train").status().first_job();
  ASSERT_TRUE(fleet_.WaitForState(training, v1::Job::RUNNING));
  EXPECT_EQ(FirstJob(made, "predict").state(), v1::Job::BLOCKED);
  fleet_.scheduler().Kill();
  fleet_.StartScheduler();
  ASSERT_TRUE(fleet_.WaitUntil(
      [&] { return Http(fleet_.http(), "GET", "/api/v1/pipelines/" + made.id()).status == 200; }));

  // The third set is not there: its prediction fails, the last step is given up.
  v1::Pipeline ended = WaitPipeline(made.id());
  EXPECT_EQ(ended.state(), v1::Pipeline::FAILED);
  EXPECT_THAT(ended.message(), HasSubstr("predict"));
  EXPECT_EQ(Step(ended, "train").status().succeeded(), 1u);
  EXPECT_EQ(Step(ended, "predict").status().succeeded(), 2u);
  EXPECT_EQ(Step(ended, "predict").status().failed(), 1u);
  EXPECT_EQ(FirstJob(ended, "last").reason(), v1::Job::UPSTREAM_FAILED);
  const v1::Job predicted = FirstJob(ended, "predict");
  EXPECT_EQ(predicted.predict().model(), "digits");
  EXPECT_EQ(predicted.predict().version(), 1u);
  EXPECT_EQ(predicted.predict_result().error_count(), 0u);

  fs::copy(fleet_.data_root() + "/test/3", fleet_.data_root() + "/late",
           fs::copy_options::recursive);
  Call<v1::Pipeline>("POST", absl::StrCat("/api/v1/pipelines/", made.id(), ":resume"));
  ended = WaitPipeline(made.id());
  EXPECT_EQ(ended.state(), v1::Pipeline::SUCCEEDED) << ended.message();
  EXPECT_EQ(FirstJob(ended, "predict").attempts_size(), 1);
  EXPECT_EQ(fleet_.Get(training).attempts_size(), 1);

  // The same again: the training is not.
  const v1::Pipeline again = WaitPipeline(Create(TrainThenPredict()).id());
  EXPECT_EQ(again.state(), v1::Pipeline::SUCCEEDED) << again.message();
  EXPECT_EQ(FirstJob(again, "train").reused_from(), training);
  EXPECT_EQ(FirstJob(again, "train").attempts_size(), 0);
  EXPECT_EQ(FirstJob(again, "predict").predict().version(), 1u);
}

TEST_F(Pipelines, AStepMayBeFannedOutOverWhatAnEarlierOneMakes) {
  // The payload is three lines: a, b and c.
  const v1::Pipeline made = Create(R"({"steps": [
    {"name": "list", "job": {"noop": {"payload": "YQpiCmMK", "hold": "0.2s"}}},
    {"name": "each", "job": {"noop": {}},
     "forEach": {"output": {"step": "list", "field": "payload"}},
     "inputs": [{"field": "noop.payload", "item": true}]},
    {"name": "last", "after": ["each"], "job": {"noop": {}}}]})");
  EXPECT_EQ(Step(made, "each").status().first_job(), "");
  const v1::Pipeline ended = WaitPipeline(made.id());
  ASSERT_EQ(ended.state(), v1::Pipeline::SUCCEEDED) << ended.message();
  EXPECT_EQ(Step(ended, "each").status().succeeded(), 3u);
  EXPECT_EQ(FirstJob(ended, "each").noop_result().payload(), "a");
}

TEST_F(Pipelines, AnArrayRunsAtMostAsManyAsItsWidthAtOnce) {
  const v1::Array made = Call<v1::Array>(
      "POST", "/api/v1/arrays", R"({"count": 40, "width": 2, "job": {"noop": {"hold": "0.02s"}}})");
  uint32_t most = 0;
  v1::Array array;
  ASSERT_TRUE(fleet_.WaitUntil([&] {
    array = Call<v1::Array>("GET", "/api/v1/arrays/" + made.id());
    most = std::max(most, array.running());
    return array.succeeded() == 40;
  })) << array.ShortDebugString();
  EXPECT_LE(most, 2u);
  EXPECT_EQ(fleet_.Get(made.id()).array(), made.id());
  const v1::Array long_one = Call<v1::Array>(
      "POST", "/api/v1/arrays", R"({"count": 20, "width": 1, "job": {"noop": {"hold": "60s"}}})");
  Call<v1::Array>("POST", absl::StrCat("/api/v1/arrays/", long_one.id(), ":cancel"));
  const v1::Array cancelled =
      Call<v1::Array>("POST", absl::StrCat("/api/v1/arrays/", long_one.id(), ":wait"));
  EXPECT_EQ(cancelled.cancelled(), 20u);
}

TEST_F(Pipelines, AScheduleFiresOnceForEachDueTimeOverAKilledScheduler) {
  Call<v1::Schedule>("POST", "/api/v1/schedules",
                     R"({"name": "often", "cron": "@every 1s",
                         "job": {"noop": {}, "labels": {"by": "often"}}})");
  v1::Schedule schedule;
  const auto runs = [&] {
    const HttpReply reply = Http(fleet_.http(), "GET", "/api/v1/schedules/often");
    if (reply.status != 200) return uint64_t{0};
    schedule = Call<v1::Schedule>("GET", "/api/v1/schedules/often");
    return schedule.runs();
  };
  ASSERT_TRUE(fleet_.WaitUntil([&] { return runs() >= 2; }));
  fleet_.scheduler().Kill();
  fleet_.StartScheduler();
  ASSERT_TRUE(fleet_.WaitUntil([&] { return runs() >= 5; }));
  schedule = Call<v1::Schedule>("POST", "/api/v1/schedules/often:pause");
  v1::ListJobsRequest request;
  request.set_filter("labels.by = often");
  request.set_page_size(1000);
  grpc::ClientContext context;
  v1::ListJobsResponse jobs;
  ASSERT_TRUE(fleet_.jobs().ListJobs(&context, request, &jobs).ok());
  EXPECT_EQ(static_cast<uint64_t>(jobs.jobs_size()), schedule.runs());
}

}  // namespace
}  // namespace switchyard::e2e
