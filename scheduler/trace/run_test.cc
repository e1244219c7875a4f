// Runs of traces small enough to be followed by hand, and short comparisons.
#include "scheduler/trace/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "scheduler/trace/compare.h"
#include "scheduler/trace/generator.h"

namespace switchyard::scheduler {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;

Cluster SmallCluster(uint32_t workers, uint32_t devices) {
  Cluster cluster;
  cluster.workers = workers;
  cluster.devices_per_worker = devices;
  cluster.kinds = {{.name = "train",
                    .number = 33,
                    .job_class = JobClass::kTraining,
                    .default_timeout_us = kNever,
                    .checkpoints = true}};
  return cluster;
}

TraceJob Job(int64_t arrival_s, int64_t duration_s, uint32_t devices, int64_t limit_s,
             uint8_t priority = 5, uint32_t tenant = 0) {
  TraceJob job;
  job.arrival_us = arrival_s * kSecond;
  job.duration_us = duration_s * kSecond;
  job.devices = devices;
  job.timeout_us = limit_s * kSecond;
  job.priority = priority;
  job.tenant = tenant;
  return job;
}

ListedTrace Trace(std::vector<TraceJob> jobs) {
  return ListedTrace(std::move(jobs), {"a", "b"}, {"train"});
}

RunResult Baseline(BaselinePolicy policy, std::vector<TraceJob> jobs, const Cluster& cluster) {
  ListedTrace trace = Trace(std::move(jobs));
  absl::StatusOr<RunResult> result = RunBaseline(policy, trace, cluster, {});
  EXPECT_TRUE(result.ok()) << result.status();
  return *result;
}

RunResult Ours(std::vector<TraceJob> jobs, const Cluster& cluster) {
  ListedTrace trace = Trace(std::move(jobs));
  absl::StatusOr<RunResult> result = RunCore(trace, cluster, {});
  EXPECT_TRUE(result.ok()) << result.status();
  return *result;
}

// Four devices. The first job holds three of them for 10 s; the second wants all four; the third
// wants one for 5 s and is backfilled, the fourth one for 20 s and is not.
std::vector<TraceJob> Textbook() {
  return {Job(0, 10, 3, 10), Job(1, 10, 4, 10), Job(2, 5, 1, 5), Job(3, 20, 1, 20)};
}

TEST(Baselines, FifoLetsNobodyPassTheFirst) {
  const RunResult fifo = Baseline(BaselinePolicy::kFifo, Textbook(), SmallCluster(1, 4));
  // Starts 0, 10, 20, 20; ends 10, 20, 25, 40.
  EXPECT_THAT(fifo.mean_completion_s, DoubleNear((10 + 19 + 23 + 37) / 4.0, 1e-6));
  EXPECT_THAT(fifo.makespan_s, DoubleNear(40, 1e-6));
}

TEST(Baselines, EasyBackfillsWhatEndsBeforeTheReservation) {
  const RunResult easy = Baseline(BaselinePolicy::kEasy, Textbook(), SmallCluster(1, 4));
  // Starts 0, 10, 2, 20; ends 10, 20, 7, 40.
  EXPECT_THAT(easy.mean_completion_s, DoubleNear((10 + 19 + 5 + 37) / 4.0, 1e-6));
  EXPECT_THAT(easy.makespan_s, DoubleNear(40, 1e-6));
}

TEST(Baselines, EasyBackfillsLongJobsIntoWhatTheReservationLeaves) {
  // The second wants three: one device stays free beside it, so that the last may run for long.
  const std::vector<TraceJob> jobs = {Job(0, 10, 2, 10), Job(1, 10, 3, 10), Job(2, 100, 1, 100),
                                      Job(3, 100, 1, 100)};
  const RunResult easy = Baseline(BaselinePolicy::kEasy, jobs, SmallCluster(1, 4));
  // Starts 0, 10, 2 (into the one left over), 20 (nothing is left over twice).
  EXPECT_THAT(easy.mean_completion_s, DoubleNear((10 + 19 + 100 + 117) / 4.0, 1e-6));
}

TEST(Baselines, EasyBelievesEstimatesNotRunTimes) {
  // The third ends within 5 s but declares 100: it is not let in.
  std::vector<TraceJob> jobs = Textbook();
  jobs[2] = Job(2, 5, 1, 100);
  jobs.pop_back();
  const RunResult easy = Baseline(BaselinePolicy::kEasy, jobs, SmallCluster(1, 4));
  EXPECT_THAT(easy.mean_completion_s, DoubleNear((10 + 19 + 23) / 3.0, 1e-6));
}

TEST(Baselines, PriorityGoesByUrgencyThenArrival) {
  const std::vector<TraceJob> jobs = {Job(0, 10, 1, 10), Job(1, 10, 1, 10, 5), Job(2, 10, 1, 10, 3),
                                      Job(3, 10, 1, 10, 5)};
  const RunResult result = Baseline(BaselinePolicy::kPriority, jobs, SmallCluster(1, 1));
  // Order: first, third, second, fourth.
  EXPECT_THAT(result.mean_completion_s, DoubleNear((10 + 29 + 18 + 37) / 4.0, 1e-6));
}

TEST(Baselines, AJobIsEndedByItsLimit) {
  const RunResult result =
      Baseline(BaselinePolicy::kFifo, {Job(0, 100, 1, 10)}, SmallCluster(1, 1));
  EXPECT_EQ(result.timed_out, 1u);
  EXPECT_THAT(result.makespan_s, DoubleNear(10, 1e-6));
}

TEST(Core, RunsWhatFitsAtOnce) {
  const RunResult result = Ours({Job(0, 10, 1, 60), Job(0, 20, 1, 60)}, SmallCluster(1, 2));
  EXPECT_EQ(result.jobs, 2u);
  EXPECT_EQ(result.wait_p99_s, 0);
  EXPECT_THAT(result.mean_completion_s, DoubleNear(15, 1e-6));
  EXPECT_EQ(result.decisions, 2u);
}

TEST(Core, AGangWaitsForAllItsDevicesAndShortJobsRunMeanwhile) {
  const RunResult result = Ours(Textbook(), SmallCluster(2, 2));
  EXPECT_EQ(result.jobs, 4u);
  EXPECT_EQ(result.preemptions, 0u);
  // As EASY: the five-second job runs before the gang, whose start is not moved.
  EXPECT_THAT(result.mean_completion_s, DoubleNear((10 + 19 + 5 + 37) / 4.0, 1e-6));
}

TEST(Core, AMoreUrgentJobTakesADeviceOnNoticeAndTheOtherResumes) {
  const RunResult result =
      Ours({Job(0, 1000, 1, 3600, 7), Job(500, 100, 1, 3600, 3)}, SmallCluster(1, 1));
  EXPECT_EQ(result.preemptions, 1u);
  // 500 s done, 100 s away, then the rest and a minute to be where it was. The notice comes one
  // window after the urgent job.
  EXPECT_THAT(result.makespan_s, DoubleNear(1000 + 100 + 60, 1));
}

TEST(Core, FailuresAndTimeoutsEndJobsAsTheTraceSays) {
  TraceJob fails = Job(0, 10, 1, 60);
  fails.fails = true;
  const RunResult result = Ours({fails, Job(0, 100, 1, 10)}, SmallCluster(1, 2));
  EXPECT_EQ(result.failed, 1u);
  EXPECT_EQ(result.timed_out, 1u);
  EXPECT_THAT(result.makespan_s, DoubleNear(10, 1e-6));
}

TEST(Core, TenantsShareByWeight) {
  std::vector<TraceJob> jobs;
  for (int i = 0; i < 600; ++i) jobs.push_back(Job(0, 600, 1, 600, 5, i % 2));
  Cluster cluster = SmallCluster(1, 6);
  cluster.weights = {{"a", 2}, {"b", 1}};
  const RunResult ours = Ours(jobs, cluster);
  const RunResult fifo = Baseline(BaselinePolicy::kFifo, jobs, cluster);
  EXPECT_LT(ours.share_error, 0.03);
  EXPECT_GT(fifo.share_error, 0.10);
}

TEST(Run, AJobThatCanNeverRunIsNamed) {
  ListedTrace wide = Trace({Job(0, 1, 1, 1), Job(0, 1, 9, 1)});
  const auto result = RunCore(wide, SmallCluster(1, 8), {});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("job 2 of the trace wants 9"));
  ListedTrace unknown({Job(0, 1, 1, 1)}, {"a"}, {"dance"});
  EXPECT_THAT(
      std::string(
          RunBaseline(BaselinePolicy::kFifo, unknown, SmallCluster(1, 1), {}).status().message()),
      HasSubstr("\"dance\", which is unknown; there are: train"));
}

Scenario Generated(const std::string& workload, double load, uint64_t jobs) {
  const GeneratorOptions options{
      .workload = workload, .jobs = jobs, .devices = 128, .load = load, .seed = 3};
  return {workload, [options] { return GenerateTrace(options); }};
}

TEST(Compare, TheSameTraceGivesTheSameResult) {
  const Cluster cluster = SmallCluster(16, 8);
  const auto first = Compare(Generated("philly", 1.0, 2000), {"ours"}, cluster, {});
  const auto second = Compare(Generated("philly", 1.0, 2000), {"ours"}, cluster, {});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok());
  const RunResult& a = first->results[0];
  const RunResult& b = second->results[0];
  EXPECT_EQ(a.mean_completion_s, b.mean_completion_s);
  EXPECT_EQ(a.wait_p99_s, b.wait_p99_s);
  EXPECT_EQ(a.decisions, b.decisions);
  EXPECT_EQ(a.share_error, b.share_error);
}

TEST(Compare, OursIsBetterThanFifoAndPriorityOnAShortTrace) {
  const auto comparison =
      Compare(Generated("philly", 1.1, 4000), PolicyNames(), SmallCluster(16, 8), {});
  ASSERT_TRUE(comparison.ok()) << comparison.status();
  ASSERT_EQ(comparison->results.size(), 4u);
  for (const RunResult& result : comparison->results) EXPECT_EQ(result.jobs, 4000u);
  EXPECT_LT(comparison->results[0].mean_completion_s, comparison->results[1].mean_completion_s);
  EXPECT_LT(comparison->results[0].mean_completion_s, comparison->results[2].mean_completion_s);
}

TEST(Compare, AnUnknownPolicyIsRefused) {
  EXPECT_THAT(std::string(Compare(Generated("philly", 1, 10), {"lottery"}, SmallCluster(16, 8), {})
                              .status()
                              .message()),
              HasSubstr("ours, fifo, priority, easy"));
}

}  // namespace
}  // namespace switchyard::scheduler
