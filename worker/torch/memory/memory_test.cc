#include <gtest/gtest.h>

#include <thread>

#include "common/status/error.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "worker/torch/device.h"
#include "worker/torch/memory/attempt_memory.h"
#include "worker/torch/memory/counting_allocator.h"
#include "worker/torch/trainer.h"

namespace switchyard::worker {
namespace {

TrainerOptions Network(int image_size = 32) {
  TrainerOptions options;
  options.network.architecture = "small_cnn";
  options.network.classes = 3;
  options.network.input = {.channels = 3, .image_size = image_size};
  options.network.mean = {0.5f, 0.5f, 0.5f};
  options.network.standard_deviation = {0.2f, 0.2f, 0.2f};
  return options;
}

// Makes a network and takes one step with it; what it took is free again afterwards.
absl::Status Work(int samples) {
  auto trainer = MakeTrainer(Network());
  if (!trainer.ok()) return trainer.status();
  const std::vector<uint8_t> pixels(static_cast<size_t>(samples) * 3 * 32 * 32, 100);
  const std::vector<int32_t> labels(static_cast<size_t>(samples), 1);
  return (*trainer)->Step({pixels, labels}, 0.001).status();
}

class AttemptMemoryTest : public ::testing::Test {
 protected:
  AttemptMemoryTest() {
    EXPECT_TRUE(UseDevice({"cpu", "", 1}).ok());
    SetCpuMemoryLimit(0);
  }
};

TEST_F(AttemptMemoryTest, KnowsTheMostAnAttemptHeldAtOnce) {
  const auto memory = MakeAttemptMemory("cpu", 0, false);
  memory->Enter();
  ASSERT_TRUE(Work(8).ok());
  const int64_t small = memory->peak_bytes();
  ASSERT_TRUE(Work(64).ok());
  memory->Leave();
  EXPECT_GT(small, 100 << 10);
  EXPECT_GT(memory->peak_bytes(), 2 * small);
  // What comes after is not its.
  const int64_t peak = memory->peak_bytes();
  ASSERT_TRUE(Work(256).ok());
  EXPECT_EQ(memory->peak_bytes(), peak);
}

TEST_F(AttemptMemoryTest, RefusesWhatPassesItsLimitAndSaysTheNumbers) {
  constexpr int64_t kLimit = 4 << 20;
  const auto memory = MakeAttemptMemory("cpu", kLimit, false);
  memory->Enter();
  const absl::Status refused = Work(512);
  memory->Leave();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  google::rpc::ErrorInfo info;
  const google::rpc::Status proto = ToProto(refused);
  for (const auto& detail : proto.details()) detail.UnpackTo(&info);
  EXPECT_EQ(info.reason(), "OUT_OF_MEMORY");
  EXPECT_EQ(info.metadata().at("limit_bytes"), std::to_string(kLimit));
  EXPECT_GT(std::stoll(info.metadata().at("need_bytes")), kLimit);
  EXPECT_EQ(memory->peak_bytes(), std::stoll(info.metadata().at("need_bytes")));
}

TEST_F(AttemptMemoryTest, LimitsOneAttemptAndNotItsNeighbour) {
  absl::Status limited, free;
  const auto small = MakeAttemptMemory("cpu", 1 << 20, false);
  const auto large = MakeAttemptMemory("cpu", 0, false);
  const auto run = [](AttemptMemory& memory, absl::Status* status) {
    memory.Enter();
    *status = UseDevice({"cpu", "", 1});
    if (status->ok()) *status = Work(256);
    memory.Leave();
  };
  std::thread first([&] { run(*small, &limited); });
  std::thread second([&] { run(*large, &free); });
  first.join();
  second.join();
  EXPECT_EQ(limited.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(free.ok()) << free;
}

TEST_F(AttemptMemoryTest, GivesBackWhatAnotherThreadFrees) {
  const int64_t before = CpuMemoryUsed();
  std::unique_ptr<Trainer> trainer;
  {
    const auto memory = MakeAttemptMemory("cpu", 0, false);
    memory->Enter();
    trainer = *MakeTrainer(Network());
    memory->Leave();
    EXPECT_GT(CpuMemoryUsed(), before);
  }
  // Its owner is gone before what it counted.
  std::thread([&] { trainer.reset(); }).join();
  EXPECT_EQ(CpuMemoryUsed(), before);
}

TEST_F(AttemptMemoryTest, CountsEveryThreadWhereTheProcessIsTheAttempts) {
  const auto memory = MakeAttemptMemory("cpu", 0, true);
  std::thread([] { EXPECT_TRUE(Work(8).ok()); }).join();
  EXPECT_GT(memory->peak_bytes(), 100 << 10);
}

TEST_F(AttemptMemoryTest, LeavesOutWhatStaysResident) {
  const auto memory = MakeAttemptMemory("cpu", 0, false);
  memory->Enter();
  std::unique_ptr<Trainer> resident;
  {
    const OutsideAttempts outside;
    resident = *MakeTrainer(Network());
  }
  memory->Leave();
  EXPECT_EQ(memory->peak_bytes(), 0);
}

}  // namespace
}  // namespace switchyard::worker
