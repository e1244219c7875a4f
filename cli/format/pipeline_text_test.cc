#include "cli/format/pipeline_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;

TEST(PipelineText, LaterStepsStandBelowAndInside) {
  v1::Pipeline pipeline;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
    id: "p" name: "digits" state: FAILED message: "step \"each\": job 9: no"
    steps { name: "last" after: "each" status { first_job: "j3" jobs: 1 cancelled: 1 } }
    steps { name: "each" for_each { step: "train" } status { first_job: "j2" jobs: 3 failed: 1 succeeded: 2 } }
    steps { name: "train" status { first_job: "j1" jobs: 1 succeeded: 1 } }
    steps { name: "unknown" after: "last" })",
                                                            &pipeline));
  EXPECT_EQ(PipelineText(pipeline, absl::UnixEpoch()),
            "pipeline p digits: FAILED\n"
            "step \"each\": job 9: no\n"
            "STEP             JOBS              FIRST JOB  AFTER\n"
            "* train          1 done            j1\n"
            "  x each         2 done, 1 failed  j2         train\n"
            "    - last       1 cancelled       j3         each\n"
            "      . unknown  not known yet                last\n"
            "* done  > running  o queued  . waiting  x failed  - cancelled\n");
}

TEST(ArrayText, SaysWhatIsDoneAndWhatIsNot) {
  v1::Array array;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "id: \"a\" count: 10 width: 2 succeeded: 3 running: 2 queued: 4 failed: 1", &array));
  EXPECT_EQ(ArrayText(array),
            "array a: 3 of 10 done, 2 running, 4 queued, 1 failed; at most 2 at once\n");
}

TEST(ScheduleText, SaysWhenItRanAndRuns) {
  v1::Schedule schedule;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
    name: "nightly" cron: "0 2 * * *" time_zone: "Europe/Berlin" runs: 2
    next_run { seconds: 60 } last_made: "j" message: "the run before has not ended")",
                                                            &schedule));
  const std::string text = ScheduleText(schedule, absl::UnixEpoch());
  EXPECT_THAT(text, HasSubstr("nightly: 0 2 * * * (Europe/Berlin)"));
  EXPECT_THAT(text, HasSubstr("next run in "));
  EXPECT_THAT(text, HasSubstr("last skipped: the run before has not ended"));
}

}  // namespace
}  // namespace switchyard::cli
