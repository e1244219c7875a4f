#include "worker/device/device.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/cgroup.h"
#include "worker/device/cpu.h"
#include "worker/device/nvml.h"

namespace switchyard::worker {
namespace {

using ::testing::Contains;

TEST(ModelName, IsThatOfTheFirstProcessor) {
  EXPECT_EQ(ModelName("processor\t: 0\nmodel name\t: Fast Processor 9000\nmodel name\t: Other\n"),
            "Fast Processor 9000");
  EXPECT_EQ(ModelName("processor\t: 0\n"), "unknown processor");
}

TEST(AvailableMemory, IsReadInBytes) {
  EXPECT_EQ(AvailableMemory("MemTotal:   100 kB\nMemAvailable:     64 kB\n"), 64 * 1024);
  EXPECT_EQ(AvailableMemory("MemTotal:   100 kB\n"), 0);
}

TEST(CgroupMemoryLimit, KnowsBothWaysOfSayingNoLimit) {
  EXPECT_EQ(CgroupMemoryLimit("1048576\n"), 1048576);
  EXPECT_EQ(CgroupMemoryLimit("max\n"), -1);
  EXPECT_EQ(CgroupMemoryLimit("9223372036854771712\n"), -1);
  EXPECT_EQ(CgroupMemoryLimit(""), -1);
}

TEST(CgroupCores, CountsWholeCores) {
  EXPECT_EQ(CgroupCores("250000 100000\n"), 2u);
  EXPECT_EQ(CgroupCores("50000 100000\n"), 1u);
  EXPECT_EQ(CgroupCores("max 100000\n"), 0u);
  EXPECT_EQ(CgroupCores(""), 0u);
}

TEST(DiscoverDevice, DescribesTheProcessorsOfThisHost) {
  ::switchyard::config::v1::WorkerConfig config;
  config.set_threads(3);
  const auto drive = DiscoverDevice(config);
  ASSERT_TRUE(drive.ok());
  EXPECT_EQ(drive->device.device(), "cpu");
  EXPECT_GE(drive->device.cores(), 1u);
  EXPECT_GT(drive->device.memory_total_bytes(), 0);
  EXPECT_EQ(drive->handle.threads, 3);
  EXPECT_THAT(drive->environment, Contains("OMP_NUM_THREADS=3"));
}

TEST(DiscoverDevice, TakesTheConfiguredMemoryWhenItIsLess) {
  ::switchyard::config::v1::WorkerConfig config;
  config.set_memory_bytes(1 << 20);
  EXPECT_EQ(DiscoverDevice(config)->device.memory_total_bytes(), 1 << 20);
  EXPECT_EQ(DiscoverDevice(config)->runner_memory_bytes, 1 << 20);
}

TEST(DiscoverDevice, RefusesADeviceItDoesNotKnow) {
  ::switchyard::config::v1::WorkerConfig config;
  config.set_device("tpu");
  EXPECT_EQ(DiscoverDevice(config).status().code(), absl::StatusCode::kInvalidArgument);
  config.set_device("cuda:x");
  EXPECT_EQ(DiscoverDevice(config).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(DiscoverDevice, SaysWhenThereIsNoSuchGpu) {
  ::switchyard::config::v1::WorkerConfig config;
  config.set_device("cuda:99");
  EXPECT_EQ(DiscoverDevice(config).status().code(), absl::StatusCode::kNotFound);
}

TEST(DiscoverGpus, DescribesEachOrSaysThatThereAreNone) {
  const auto gpus = DiscoverGpus();
  if (!gpus.ok()) {
    EXPECT_EQ(gpus.status().code(), absl::StatusCode::kNotFound);
    return;
  }
  for (const GpuFacts& gpu : *gpus) {
    EXPECT_FALSE(gpu.name.empty());
    EXPECT_EQ(gpu.uuid.substr(0, 4), "GPU-");
    EXPECT_GT(gpu.memory_total_bytes, 0);
  }
}

}  // namespace
}  // namespace switchyard::worker
