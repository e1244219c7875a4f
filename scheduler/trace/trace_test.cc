// Readers, generators, meters and reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "scheduler/trace/csv_reader.h"
#include "scheduler/trace/distribution.h"
#include "scheduler/trace/generator.h"
#include "scheduler/trace/published.h"
#include "scheduler/trace/report.h"
#include "scheduler/trace/rules.h"
#include "scheduler/trace/share_meter.h"

namespace switchyard::scheduler {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;

class CsvTest : public testing::Test {
 protected:
  ~CsvTest() override { std::remove(path_.c_str()); }

  void Write(const std::string& text) { std::ofstream(path_) << text; }

  // The fault of the first bad line; OK when there is none.
  absl::Status ReadAll(std::vector<TraceJob>* jobs = nullptr) {
    auto trace = OpenCsvTrace(path_);
    if (!trace.ok()) return trace.status();
    TraceJob job;
    for (;;) {
      const absl::StatusOr<bool> more = (*trace)->Next(job);
      if (!more.ok()) return more.status();
      if (!*more) return absl::OkStatus();
      if (jobs != nullptr) jobs->push_back(job);
    }
  }
  std::string Fault(const std::string& line) {
    Write("arrival,duration,devices,memory,tenant,priority\n" + line + "\n");
    const absl::Status status = ReadAll();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << line;
    return std::string(status.message());
  }

  const std::string path_ = testing::TempDir() + "/trace_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
};

TEST_F(CsvTest, ColumnsAreFoundByNameAndTimesCountFromTheFirstArrival) {
  Write(
      "# a comment\n"
      "tenant,arrival,duration,priority,devices,memory,timeout,model,outcome\r\n"
      "vision,1000.5,2.25,3,8,16GiB,3600,resnet,failed\r\n"
      "\n"
      "speech,1001,0,5,1,0,,,\n");
  std::vector<TraceJob> jobs;
  ASSERT_TRUE(ReadAll(&jobs).ok());
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].arrival_us, 0);
  EXPECT_EQ(jobs[0].duration_us, 2'250'000);
  EXPECT_EQ(jobs[0].devices, 8u);
  EXPECT_EQ(jobs[0].memory_bytes, int64_t{16} << 30);
  EXPECT_EQ(jobs[0].timeout_us, 3600 * kSecond);
  EXPECT_NE(jobs[0].model, 0u);
  EXPECT_TRUE(jobs[0].fails);
  EXPECT_EQ(jobs[1].arrival_us, kSecond / 2);
  EXPECT_EQ(jobs[1].duration_us, 1);
  EXPECT_EQ(jobs[1].tenant, 1u);
  EXPECT_EQ(jobs[1].model, 0u);
}

TEST_F(CsvTest, EveryFaultNamesFileLineColumnAndWhatIsExpected) {
  EXPECT_THAT(Fault("x,1,1,0,a,5"), HasSubstr(path_ + ":2: arrival: \"x\" is not a number of"));
  EXPECT_THAT(Fault("0,-1,1,0,a,5"), HasSubstr("duration: \"-1\""));
  EXPECT_THAT(Fault("0,nan,1,0,a,5"), HasSubstr("duration: \"nan\""));
  EXPECT_THAT(Fault("0,1,0,0,a,5"), HasSubstr("devices: \"0\" is not a number from 1"));
  EXPECT_THAT(Fault("0,1,1,5furlong,a,5"), HasSubstr("memory: \"5furlong\""));
  EXPECT_THAT(Fault("0,1,1,9999999999GiB,a,5"), HasSubstr("memory"));
  EXPECT_THAT(Fault("0,1,1,0,,5"), HasSubstr("tenant: \"\" is not a name"));
  EXPECT_THAT(Fault("0,1,1,0,a,10"), HasSubstr("priority: \"10\" is not a number from 1"));
  EXPECT_THAT(Fault("0,1,1,0,a"), HasSubstr(":2: has 5 fields; the first line names 6"));
  EXPECT_THAT(Fault("5,1,1,0,a,5\n4,1,1,0,a,5"), HasSubstr(":3: arrival: 4 is before"));
}

TEST_F(CsvTest, TheFirstLineMustNameTheColumns) {
  Write("arrival,duration,devices,memory,tenant\n");
  EXPECT_THAT(std::string(ReadAll().message()), HasSubstr("column \"priority\" is missing"));
  Write("arrival,arrival\n");
  EXPECT_THAT(std::string(ReadAll().message()), HasSubstr("named twice"));
  Write("arrival,gpu\n");
  EXPECT_THAT(std::string(ReadAll().message()), HasSubstr("there is no column \"gpu\""));
  Write("");
  EXPECT_THAT(std::string(ReadAll().message()), HasSubstr("is empty"));
  EXPECT_EQ(OpenCsvTrace(path_ + ".not").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CsvTest, WhatIsWrittenIsReadBack) {
  GeneratorOptions options{.workload = "philly", .jobs = 200};
  auto trace = GenerateTrace(options);
  ASSERT_TRUE(trace.ok());
  ASSERT_TRUE(WriteCsvTrace(**trace, path_).ok());
  std::vector<TraceJob> jobs;
  ASSERT_TRUE(ReadAll(&jobs).ok());
  ASSERT_EQ(jobs.size(), 200u);
  auto again = GenerateTrace(options);
  TraceJob job;
  ASSERT_TRUE((*again)->Next(job).ok());
  EXPECT_EQ(jobs[0].duration_us, job.duration_us);
  EXPECT_EQ(jobs[0].devices, job.devices);
  EXPECT_EQ(jobs[0].timeout_us, job.timeout_us);
}

TEST(Quantiles, TheLogarithmIsInterpolatedBetweenPoints) {
  const Quantiles quantiles({{0.0, 1}, {0.5, 100}, {1.0, 1000}});
  EXPECT_THAT(quantiles.At(0.25), DoubleNear(10, 1e-9));
  EXPECT_THAT(quantiles.At(0.5), DoubleNear(100, 1e-9));
  EXPECT_THAT(quantiles.At(1), DoubleNear(1000, 1e-9));
}

TEST(Distribution, TheNormalQuantileIsTheInverseOfTheShare) {
  for (const double share : {0.001, 0.02, 0.3, 0.5, 0.9, 0.999}) {
    EXPECT_THAT(NormalShare(NormalQuantile(share)), DoubleNear(share, 1e-7));
  }
}

// What a workload's jobs look like.
struct Shape {
  double mean_s = 0;
  double median_s = 0;
  double mean_devices = 0;
  double single = 0;
  double failed = 0;
  double load = 0;
  double limit_kept = 0;
};

Shape ShapeOf(const std::string& workload, uint64_t jobs) {
  constexpr uint64_t kDevices = 512;
  auto trace = GenerateTrace(
      {.workload = workload, .jobs = jobs, .devices = kDevices, .load = 0.9, .seed = 7});
  Shape shape;
  std::vector<double> seconds;
  double work = 0;
  int64_t last_us = 0;
  TraceJob job;
  while (*(*trace)->Next(job)) {
    seconds.push_back(static_cast<double>(job.duration_us) / kSecond);
    shape.mean_s += seconds.back() / static_cast<double>(jobs);
    shape.mean_devices += static_cast<double>(job.devices) / static_cast<double>(jobs);
    shape.single += (job.devices == 1) / static_cast<double>(jobs);
    shape.failed += job.fails / static_cast<double>(jobs);
    shape.limit_kept += (job.timeout_us >= job.duration_us) / static_cast<double>(jobs);
    work += seconds.back() * job.devices;
    EXPECT_GE(job.arrival_us, last_us);
    last_us = job.arrival_us;
  }
  std::sort(seconds.begin(), seconds.end());
  shape.median_s = seconds[seconds.size() / 2];
  shape.load = work / (kDevices * static_cast<double>(last_us) / kSecond);
  return shape;
}

TEST(Generator, PhillyIsAsPublished) {
  const Shape philly = ShapeOf("philly", 100'000);
  EXPECT_THAT(philly.mean_s, DoubleNear(28'329, 0.15 * 28'329));
  EXPECT_THAT(philly.mean_devices, DoubleNear(1.75, 0.1));
  EXPECT_THAT(philly.failed, DoubleNear(0.172, 0.01));
  // Between the medians of the two published subsets: 13 and 25 minutes.
  EXPECT_GT(philly.median_s, 13 * 60);
  EXPECT_LT(philly.median_s, 27 * 60);
  EXPECT_THAT(philly.load, DoubleNear(0.9, 0.01));
  EXPECT_THAT(philly.limit_kept, DoubleNear(1, 1e-9));
}

TEST(Generator, HeliosIsAsPublished) {
  const Shape helios = ShapeOf("helios", 100'000);
  EXPECT_THAT(helios.mean_s, DoubleNear(6'652, 0.15 * 6'652));
  EXPECT_THAT(helios.median_s, DoubleNear(206, 0.3 * 206));
  EXPECT_THAT(helios.mean_devices, DoubleNear(3.72, 0.25));
  EXPECT_THAT(helios.single, DoubleNear(0.72, 0.02));
  EXPECT_THAT(helios.failed, DoubleNear(0.155, 0.01));
}

TEST(Generator, PaiIsAsPublished) {
  const Shape pai = ShapeOf("pai", 100'000);
  EXPECT_THAT(pai.median_s, DoubleNear(570, 0.15 * 570));  // Figure 4(a) at one half.
  EXPECT_THAT(pai.single, DoubleNear(0.735, 0.02));
}

TEST(Generator, ASeedIsATrace) {
  const auto first = [](uint64_t seed) {
    auto trace = GenerateTrace({.workload = "helios", .jobs = 50, .seed = seed});
    TraceJob job;
    std::vector<int64_t> all;
    while (*(*trace)->Next(job)) all.push_back(job.arrival_us ^ job.duration_us);
    return all;
  };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1), first(2));
}

TEST(Generator, RepeatsOfAModelAreAlike) {
  auto trace = GenerateTrace({.workload = "philly", .jobs = 20'000});
  std::map<uint32_t, std::vector<TraceJob>> models;
  TraceJob job;
  while (*(*trace)->Next(job)) {
    if (job.model != 0) models[job.model].push_back(job);
  }
  double within = 0;
  double pairs = 0;
  for (const auto& [model, jobs] : models) {
    for (size_t i = 1; i < jobs.size(); ++i) {
      EXPECT_EQ(jobs[i].devices, jobs[0].devices);
      EXPECT_EQ(jobs[i].tenant, jobs[0].tenant);
      within += std::abs(std::log(static_cast<double>(jobs[i].duration_us) /
                                  static_cast<double>(jobs[i - 1].duration_us)));
      ++pairs;
    }
  }
  EXPECT_GT(pairs / static_cast<double>(models.size()), 10);
  EXPECT_LT(within / pairs, std::log(2.5));
}

TEST(Generator, BusyHoursAreThePapers) {
  auto trace = GenerateTrace({.workload = "helios", .jobs = 200'000});
  std::vector<double> hours(24, 0);
  TraceJob job;
  while (*(*trace)->Next(job)) ++hours[job.arrival_us / (3600 * kSecond) % 24];
  const Workload* helios = FindWorkload("helios");
  for (int hour = 0; hour < 24; ++hour) {
    EXPECT_THAT(hours[hour] / 200'000 * 24, DoubleNear(helios->hours[hour], 0.15)) << hour;
  }
}

TEST(Generator, WrongOptionsAreNamed) {
  EXPECT_THAT(std::string(GenerateTrace({.workload = "borg"}).status().message()),
              HasSubstr("philly, helios, pai"));
  EXPECT_FALSE(GenerateTrace({.jobs = 0}).ok());
  EXPECT_FALSE(GenerateTrace({.load = 0}).ok());
}

TEST(ShareMeter, MaxMinGivesWhatIsLeftByWeight) {
  EXPECT_THAT(MaxMinShares({1, 10, 10}, {1, 1, 1}, 9), ElementsAre(1, 4, 4));
  EXPECT_THAT(MaxMinShares({10, 10}, {2, 1}, 9), ElementsAre(6, 3));
  EXPECT_THAT(MaxMinShares({1, 2}, {1, 1}, 9), ElementsAre(1, 2));
  EXPECT_THAT(MaxMinShares({0, 5}, {1, 1}, 4), ElementsAre(0, 4));
}

TEST(ShareMeter, OneThatHoldsAllWhileAnotherWaitsIsHalfBeyond) {
  ShareMeter meter(kSecond);
  meter.SetCapacity(4);
  for (const uint32_t tenant : {0u, 1u}) {
    meter.SetWeight(tenant, 1);
    meter.Wants(tenant, 4);
  }
  meter.Has(0, 4);
  meter.AdvanceTo(10 * kSecond);
  EXPECT_THAT(meter.Worst().share, DoubleNear(0.5, 1e-9));
  meter.Has(0, -4);
  meter.Has(1, 4);
  meter.AdvanceTo(20 * kSecond);
  EXPECT_THAT(meter.Worst().share, DoubleNear(0, 1e-9)) << "what is given back evens out";
}

TEST(ShareMeter, AClusterThatIsNotFullOwesNothing) {
  ShareMeter meter(kSecond);
  meter.SetCapacity(8);
  meter.SetWeight(0, 1);
  meter.Wants(0, 4);
  meter.AdvanceTo(100 * kSecond);
  EXPECT_EQ(meter.Worst().share, 0);
}

TEST(Rules, LimitsAndWeightsAreReadAndFaultsNamed) {
  const auto limits = ParseLimits({"training=2", "cuda:0/inference=4", "w1/cuda/training=0"});
  ASSERT_TRUE(limits.ok());
  EXPECT_EQ((*limits)[0], (LimitRule{"", "", JobClass::kTraining, 2}));
  EXPECT_EQ((*limits)[1], (LimitRule{"", "cuda:0", JobClass::kInference, 4}));
  EXPECT_EQ((*limits)[2], (LimitRule{"w1", "cuda", JobClass::kTraining, 0}));
  EXPECT_THAT(std::string(ParseLimits({"sleeping=1"}).status().message()), HasSubstr("sleeping=1"));
  EXPECT_FALSE(ParseLimits({"training"}).ok());
  EXPECT_EQ(ParseWeights({"a=3"})->at("a"), 3u);
  EXPECT_FALSE(ParseWeights({"a=0"}).ok());
}

RunResult Result(const std::string& policy, double completion_s, double wait_s, double share) {
  return {.policy = policy,
          .wait_p99_s = wait_s,
          .mean_completion_s = completion_s,
          .share_error = share};
}

TEST(Compare, EveryLossIsSaidWithItsSize) {
  const auto losses = Losses(
      {Result("ours", 100, 130, 0.1), Result("fifo", 90, 200, 0.2), Result("easy", 96, 100, 0.05)});
  EXPECT_THAT(losses, ElementsAre("lost to fifo in mean completion by 1.11x",
                                  "lost to easy in p99 wait by 1.30x (1.05x allowed)",
                                  "lost to easy in share error by 2.00x"));
}

TEST(Compare, WithinWhatIsAllowedNothingIsLost) {
  EXPECT_TRUE(Losses({Result("ours", 104, 104, 0.1), Result("easy", 100, 100, 0.2)}).empty());
  EXPECT_TRUE(Losses({Result("fifo", 1, 1, 0)}).empty());
}

TEST(Report, NamesInJsonAreQuoted) {
  Comparison comparison;
  comparison.scenario = "a \"b\" \\ c\n";
  EXPECT_THAT(Json({comparison}), HasSubstr(R"("a \"b\" \\ c\u000a")"));
}

}  // namespace
}  // namespace switchyard::scheduler
