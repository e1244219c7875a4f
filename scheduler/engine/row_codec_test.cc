#include "scheduler/engine/row_codec.h"

#include <string>

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

// Every field differs from its default.
JobImage FullImage() {
  JobImage image;
  image.id = 77;
  image.tenant = "team";
  image.kind = 33;
  image.priority = 2;
  image.state = JobState::kFailed;
  image.reason = Reason::kPoison;
  image.progress = 0.25;
  image.message = "message";
  image.error = "error";
  image.error_code = 13;
  image.device = "cuda:1";
  image.model_key = "digits:3";
  image.labels = "labels";
  image.labels_changed = true;
  image.stop_requested = true;
  image.create_us = 1'700'000'000'000'001;
  image.start_us = 1'700'000'000'000'002;
  image.end_us = 1'700'000'000'000'003;
  image.not_before_us = 4;
  image.expire_us = 5;
  image.timeout_us = kNever;
  image.retry_us = 6;
  image.lost_attempts = 7;
  image.lost_unstarted = 8;
  image.failed_attempts = 9;
  image.preempted_attempts = 24;
  image.device_count = 3;
  image.preemptible = false;
  image.attempt_count = 10;
  image.change_count = 11;
  image.attempts = {{.number = 10,
                     .worker = "w",
                     .device = "cpu",
                     .device_name = "processor",
                     .dispatch_us = 12,
                     .start_us = 13,
                     .end_us = 14,
                     .outcome = Outcome::kRunnerLost,
                     .error = "lost",
                     .fencing = {15, 16},
                     .resumed_from = "checkpoint",
                     .members = {{"w", {"cuda:0", "cuda:1"}, Outcome::kSucceeded},
                                 {"x", {"cuda:7"}, Outcome::kUnspecified}},
                     .memory_granted_bytes = 24,
                     .memory_peak_bytes = 25}};
  image.history = {{11, JobState::kRunning, Reason::kStopped, 17, 10}};
  image.timings = {18, 19, 20, 21, 22};
  image.outputs = {{"curves.csv", "hash", 23, "text/csv", 10}};
  image.memory_bytes = 26;
  image.memory_raised_bytes = 27;
  image.batch_limit = 28;
  image.out_of_memory_attempts = 29;
  image.no_progress_us = 30;
  image.shape = "shape";
  image.checkpoint = "checkpoint";
  image.result = "result";
  image.key = "key";
  image.array = {24, 25};
  image.max_attempts = 7;
  image.links = {.depends_on = {{11, 1}, {12, 3}},
                 .dependents = {{44, 2}},
                 .wiring = "wiring",
                 .unresolved = true,
                 .reuse = true,
                 .inputs = "inputs",
                 .reuse_key = "key",
                 .reused_from = 9};
  return image;
}

void ExpectSameAttempt(const AttemptImage& a, const AttemptImage& b) {
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.worker, b.worker);
  EXPECT_EQ(a.device, b.device);
  EXPECT_EQ(a.device_name, b.device_name);
  EXPECT_EQ(a.dispatch_us, b.dispatch_us);
  EXPECT_EQ(a.start_us, b.start_us);
  EXPECT_EQ(a.end_us, b.end_us);
  EXPECT_EQ(a.outcome, b.outcome);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.fencing, b.fencing);
  EXPECT_EQ(a.resumed_from, b.resumed_from);
  ASSERT_EQ(a.members.size(), b.members.size());
  for (size_t i = 0; i < a.members.size(); ++i) {
    EXPECT_EQ(a.members[i].worker, b.members[i].worker);
    EXPECT_EQ(a.members[i].devices, b.members[i].devices);
    EXPECT_EQ(a.members[i].outcome, b.members[i].outcome);
  }
  EXPECT_EQ(a.memory_granted_bytes, b.memory_granted_bytes);
  EXPECT_EQ(a.memory_peak_bytes, b.memory_peak_bytes);
}

void ExpectSameScalars(const JobImage& a, const JobImage& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.tenant, b.tenant);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.priority, b.priority);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.progress, b.progress);
  EXPECT_EQ(a.message, b.message);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.error_code, b.error_code);
  EXPECT_EQ(a.device, b.device);
  EXPECT_EQ(a.model_key, b.model_key);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.labels_changed, b.labels_changed);
  EXPECT_EQ(a.stop_requested, b.stop_requested);
  EXPECT_EQ(a.create_us, b.create_us);
  EXPECT_EQ(a.start_us, b.start_us);
  EXPECT_EQ(a.end_us, b.end_us);
  EXPECT_EQ(a.not_before_us, b.not_before_us);
  EXPECT_EQ(a.expire_us, b.expire_us);
  EXPECT_EQ(a.timeout_us, b.timeout_us);
  EXPECT_EQ(a.retry_us, b.retry_us);
  EXPECT_EQ(a.lost_attempts, b.lost_attempts);
  EXPECT_EQ(a.lost_unstarted, b.lost_unstarted);
  EXPECT_EQ(a.failed_attempts, b.failed_attempts);
  EXPECT_EQ(a.preempted_attempts, b.preempted_attempts);
  EXPECT_EQ(a.device_count, b.device_count);
  EXPECT_EQ(a.preemptible, b.preemptible);
  EXPECT_EQ(a.attempt_count, b.attempt_count);
  EXPECT_EQ(a.change_count, b.change_count);
  EXPECT_EQ(a.memory_bytes, b.memory_bytes);
  EXPECT_EQ(a.memory_raised_bytes, b.memory_raised_bytes);
  EXPECT_EQ(a.batch_limit, b.batch_limit);
  EXPECT_EQ(a.out_of_memory_attempts, b.out_of_memory_attempts);
  EXPECT_EQ(a.no_progress_us, b.no_progress_us);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.checkpoint, b.checkpoint);
  EXPECT_EQ(a.result, b.result);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.array, b.array);
  EXPECT_EQ(a.max_attempts, b.max_attempts);
  EXPECT_EQ(a.links, b.links);
}

TEST(RowCodec, AnImageComesBackWhole) {
  // A field added to the image must be added to JobRecord, to row_codec.cc and to this test, or it
  // is lost at a restart.
  static_assert(sizeof(JobImage) == 776 && sizeof(AttemptImage) == 256);
  const JobImage image = FullImage();
  JobRow row;
  row.spec = "spec";
  EncodeRow(image, row);
  EXPECT_EQ(row.spec, "spec");
  EXPECT_EQ(row.create_ms, 1'700'000'000'000);
  JobImage back;
  ASSERT_TRUE(DecodeRow(row, back).ok());
  ExpectSameScalars(image, back);
  ASSERT_EQ(back.attempts.size(), 1u);
  ExpectSameAttempt(image.attempts[0], back.attempts[0]);
  ASSERT_EQ(back.history.size(), 1u);
  EXPECT_EQ(back.history[0].number, 11u);
  EXPECT_EQ(back.history[0].state, JobState::kRunning);
  EXPECT_EQ(back.history[0].reason, Reason::kStopped);
  EXPECT_EQ(back.history[0].time_us, 17);
  EXPECT_EQ(back.history[0].attempt, 10u);
  EXPECT_EQ(back.timings.queued_us, 18);
  EXPECT_EQ(back.timings.dispatched_us, 19);
  EXPECT_EQ(back.timings.prepared_us, 20);
  EXPECT_EQ(back.timings.run_us, 21);
  EXPECT_EQ(back.timings.stored_us, 22);
  ASSERT_EQ(back.outputs.size(), 1u);
  EXPECT_EQ(back.outputs[0].name, "curves.csv");
  EXPECT_EQ(back.outputs[0].sha256, "hash");
  EXPECT_EQ(back.outputs[0].size_bytes, 23);
  EXPECT_EQ(back.outputs[0].media_type, "text/csv");
  EXPECT_EQ(back.outputs[0].attempt, 10u);
}

TEST(RowCodec, NothingOfAnEarlierImageIsLeft) {
  JobUpdate row;
  EncodeUpdate(FullImage(), row);
  JobImage image = FullImage();
  ASSERT_TRUE(DecodeUpdate(row, image).ok());
  EncodeUpdate(JobImage(), row);
  ASSERT_TRUE(DecodeUpdate(row, image).ok());
  EXPECT_EQ(image.result, "");
  EXPECT_TRUE(image.attempts.empty());
  EXPECT_TRUE(image.outputs.empty());
}

TEST(RowCodec, AnEndedRowNeverLooksAlive) {
  JobImage image;
  image.state = JobState::kCancelled;
  JobUpdate row;
  EncodeUpdate(image, row);
  EXPECT_NE(row.end_ms, 0);
  image.state = JobState::kQueued;
  image.end_us = 5'000'000;
  EncodeUpdate(image, row);
  EXPECT_EQ(row.end_ms, 0);
}

TEST(RowCodec, AnUnreadableRecordIsDataLossNamingTheJob) {
  JobRow row;
  row.id = 77;
  row.record = "\xff\xff\xff";
  JobImage image;
  const absl::Status status = DecodeRow(row, image);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_NE(std::string(status.message()).find(FormatJobId(77)), std::string::npos);
}

}  // namespace
}  // namespace switchyard::scheduler
