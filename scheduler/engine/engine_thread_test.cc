#include "scheduler/engine/engine_thread.h"

#include <future>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "scheduler/engine/core_kinds.h"
#include "scheduler/store/memory_store.h"

namespace switchyard::scheduler {
namespace {

class NoOutput final : public EngineOutput {
 public:
  void Send(uint64_t, SessionOutput) override {}
  void Publish(absl::Span<const JobNotice>) override {}
  void Rebuilt(uint64_t) override {}
};

Input Submit(std::function<void(CommandResult)> done) {
  Input input;
  input.event = SubmitJobs{.jobs = {NewJob{.kind = 32}}};
  input.specs = {"spec"};
  input.tenant = "default";
  input.done = std::move(done);
  return input;
}

class EngineThreadTest : public testing::Test {
 protected:
  EngineThreadTest() : engine_(Options(), store_, SystemClock(), output_) {
    EXPECT_TRUE(engine_.Start().ok());
  }
  static EngineOptions Options() {
    EngineOptions options;
    options.core.kinds = CoreKinds();
    options.log = false;
    return options;
  }

  MemoryStore store_;
  NoOutput output_;
  Engine engine_;
};

TEST_F(EngineThreadTest, AnswersWhatManyThreadsSubmit) {
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  std::atomic<int> accepted{0};
  {
    EngineThread thread(engine_);
    std::vector<std::thread> callers;
    for (int i = 0; i < kThreads; ++i) {
      callers.emplace_back([&] {
        for (int j = 0; j < kEach; ++j) {
          thread.Submit(Submit([&](CommandResult result) { accepted += result.status.ok(); }));
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  EXPECT_EQ(accepted, kThreads * kEach);
  EXPECT_EQ(store_.AllJobs().size(), static_cast<size_t>(kThreads * kEach));
}

TEST_F(EngineThreadTest, ALoneCommandIsAnsweredWithoutFurtherOnes) {
  EngineThread thread(engine_);
  std::promise<CommandResult> answer;
  thread.Submit(Submit([&](CommandResult result) { answer.set_value(std::move(result)); }));
  EXPECT_TRUE(answer.get_future().get().status.ok());
}

}  // namespace
}  // namespace switchyard::scheduler
