#include "cli/format/error_text.h"

#include "common/status/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

using ::testing::HasSubstr;

TEST(ErrorText, NamesEveryFieldAtFaultOnce) {
  const std::string text = ErrorText(
      InvalidFields({{"job.train.epochs", "1 to 10000"}, {"job.train.save_as", "is required"}}),
      "s");
  EXPECT_EQ(text,
            "error: the request is not valid\n"
            "  job.train.epochs: 1 to 10000\n"
            "  job.train.save_as: is required\n");
}

TEST(ErrorText, SaysHowToStartAServerThatIsNotThere) {
  const std::string text =
      ErrorText(absl::UnavailableError("connection refused"), "127.0.0.1:7070");
  EXPECT_THAT(text, HasSubstr("127.0.0.1:7070"));
  EXPECT_THAT(text, HasSubstr("switchyard up"));
}

TEST(ErrorText, SaysWhenToRepeat) {
  const absl::Status full =
      WithRetryDelay(absl::ResourceExhaustedError("the queue is full"), absl::Milliseconds(1500));
  EXPECT_THAT(ErrorText(full, "s"), HasSubstr("may be repeated after 1.5 s"));
}

TEST(ErrorText, PointsFromAnUnknownThingToTheListOfThem) {
  EXPECT_THAT(ErrorText(NotFound("job", "x"), "s"), HasSubstr("switchyard jobs"));
  EXPECT_THAT(ErrorText(NotFound("model", "x"), "s"), HasSubstr("switchyard models"));
}

}  // namespace
}  // namespace switchyard::cli
