#include "worker/start/kind_of.h"

#include "gtest/gtest.h"

namespace switchyard::worker {
namespace {

TEST(KindOf, FindsTheKindAmongTheOtherFields) {
  ::switchyard::v1::Job job;
  job.set_id("x");
  job.set_priority(3);
  job.mutable_train();
  (*job.mutable_labels())["key"] = "value";
  ASSERT_NE(KindOf(job.SerializeAsString()), nullptr);
  EXPECT_EQ(KindOf(job.SerializeAsString())->name, "train");
  job.mutable_noop()->set_payload(std::string(100, 'x'));
  EXPECT_EQ(KindOf(job.SerializeAsString())->name, "noop");
}

TEST(KindOf, GivesNothingForWhatIsNoJob) {
  EXPECT_EQ(KindOf(""), nullptr);
  EXPECT_EQ(KindOf("\xff\xff\xff"), nullptr);
}

}  // namespace
}  // namespace switchyard::worker
