#include "worker/device/host.h"

#include <unistd.h>

#include "gtest/gtest.h"
#include "worker/device/cgroup.h"

namespace switchyard::worker {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

HostMeter Meter(double memory_ceiling = 0, double cpu_ceiling = 0) {
  ::switchyard::config::v1::WorkerConfig config;
  config.set_host_memory_ceiling(memory_ceiling);
  config.set_host_cpu_ceiling(cpu_ceiling);
  return HostMeter("host-1", 6 * kGiB, config);
}

TEST(BusyTime, LeavesOutIdleAndWaiting) {
  const auto ticks = sysconf(_SC_CLK_TCK);
  EXPECT_EQ(BusyTime("cpu  100 20 30 4000 500 6 7 8 90 0\ncpu0 1 1 1 1\n"),
            absl::Seconds(171.0 / static_cast<double>(ticks)));
  EXPECT_EQ(BusyTime(""), absl::ZeroDuration());
}

TEST(KeyedNumber, FindsItsLine) {
  const char events[] = "low 0\noom 3\noom_kill 2\noom_group_kill 0\n";
  EXPECT_EQ(KeyedNumber(events, "oom_kill"), 2);
  EXPECT_EQ(KeyedNumber(events, "oom"), 3);
  EXPECT_EQ(KeyedNumber(events, "max"), -1);
}

TEST(HostMeter, SaysCeilingsInBytesAndMillicores) {
  HostMeter meter = Meter(0.75, 0.5);
  const auto figures = meter.Take(
      {.memory_total_bytes = 8 * kGiB, .memory_used_bytes = kGiB, .cores = 4}, absl::Seconds(10));
  EXPECT_EQ(figures.ledger_id(), "host-1");
  EXPECT_EQ(figures.memory_total_bytes(), 6 * kGiB);
  EXPECT_EQ(figures.memory_used_bytes(), kGiB);
  EXPECT_EQ(figures.memory_ceiling_bytes(), 6 * kGiB);
  EXPECT_EQ(figures.cpu_ceiling_millicores(), 2000);
}

TEST(HostMeter, WithoutACeilingSaysNone) {
  HostMeter meter = Meter();
  const auto figures = meter.Take({.memory_total_bytes = kGiB, .cores = 4}, absl::Seconds(1));
  EXPECT_EQ(figures.memory_ceiling_bytes(), 0);
  EXPECT_EQ(figures.cpu_ceiling_millicores(), 0);
}

TEST(HostMeter, TakesTheMeanOfProcessorUseSinceTheReadingBefore) {
  HostMeter meter = Meter();
  HostReading reading{.memory_total_bytes = kGiB, .cores = 4, .cpu_time = absl::Seconds(100)};
  EXPECT_EQ(meter.Take(reading, absl::Seconds(10)).cpu_used_millicores(), 0);
  reading.cpu_time += absl::Seconds(6);
  EXPECT_EQ(meter.Take(reading, absl::Seconds(13)).cpu_used_millicores(), 2000);
  EXPECT_EQ(meter.Take(reading, absl::Seconds(16)).cpu_used_millicores(), 0);
}

TEST(HostMeter, SaysTheSameWhileLittleChanges) {
  HostMeter meter = Meter();
  HostReading reading{.memory_total_bytes = 8 * kGiB, .memory_used_bytes = 3 * kGiB, .cores = 2};
  const auto first = meter.Take(reading, absl::Seconds(10));
  reading.memory_used_bytes += 10 << 20;
  reading.cpu_time += absl::Milliseconds(60);
  EXPECT_EQ(meter.Take(reading, absl::Seconds(13)).SerializeAsString(), first.SerializeAsString());
}

TEST(ReadHost, MeasuresThisHost) {
  const HostReading reading = ReadHost();
  EXPECT_GT(reading.memory_total_bytes, 0);
  EXPECT_GT(reading.memory_used_bytes, 0);
  EXPECT_LE(reading.memory_used_bytes, reading.memory_total_bytes);
  EXPECT_GT(reading.cpu_time, absl::ZeroDuration());
  EXPECT_FALSE(LedgerId().empty());
}

}  // namespace
}  // namespace switchyard::worker
