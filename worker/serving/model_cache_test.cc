#include "worker/serving/model_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <new>
#include <thread>

namespace switchyard::worker {
namespace {

class FakeModel final : public Classifier {
 public:
  explicit FakeModel(int64_t size) : size_(size) {}
  const NetworkSpec& network() const override { return spec_; }
  int64_t size_bytes() const override { return size_; }
  absl::StatusOr<std::vector<float>> Classify(absl::Span<const uint8_t>, int) override {
    return std::vector<float>();
  }

 private:
  NetworkSpec spec_;
  int64_t size_;
};

class ModelCacheTest : public ::testing::Test {
 protected:
  ModelCache::Model Get(const std::string& key, int64_t size = 10) {
    return *cache_.Get(key, [&] {
      ++loads_;
      return absl::StatusOr<ModelCache::Model>(std::make_shared<FakeModel>(size));
    });
  }
  int loads_ = 0;
  int evictions_ = 0;
  ModelCache cache_{25, [this] { ++evictions_; }};
};

TEST_F(ModelCacheTest, KeepsWhatFitsAndDropsTheLeastRecentlyUsed) {
  Get("a");
  Get("b");
  Get("a");
  EXPECT_EQ(loads_, 2);
  Get("c");
  EXPECT_EQ(cache_.Trim().bytes, 20);
  Get("a");
  EXPECT_EQ(loads_, 3);
  Get("b");
  EXPECT_EQ(loads_, 4);
}

TEST_F(ModelCacheTest, ServesAModelLargerThanItsBudget) {
  Get("a");
  const ModelCache::Model large = Get("large", 100);
  EXPECT_EQ(cache_.Trim(), (ResidentModels::Held{.bytes = 100, .busy_bytes = 100}));
  Get("large", 100);
  EXPECT_EQ(loads_, 2);
}

TEST_F(ModelCacheTest, EvictsIdleModelsOnlyWhenTheBudgetShrinks) {
  const ModelCache::Model busy = Get("a");
  Get("b");
  cache_.SetBudget(5);
  EXPECT_EQ(evictions_, 1);
  EXPECT_EQ(cache_.Trim(), (ResidentModels::Held{.bytes = 10, .busy_bytes = 10}));
}

TEST_F(ModelCacheTest, EvictsWhatWasBusyOnceItIsIdle) {
  ModelCache::Model busy = Get("a");
  cache_.SetBudget(5);
  busy.reset();
  EXPECT_EQ(cache_.Trim().bytes, 0);
  Get("a");
  EXPECT_EQ(loads_, 2);
}

TEST_F(ModelCacheTest, KeepsMoreUnderALargerBudget) {
  cache_.SetBudget(30);
  Get("a");
  Get("b");
  Get("c");
  EXPECT_EQ(cache_.Trim(), (ResidentModels::Held{.bytes = 30, .busy_bytes = 0}));
}

TEST_F(ModelCacheTest, ForgetsAFailedLoad) {
  const auto fail = []() -> absl::StatusOr<ModelCache::Model> { return absl::InternalError("no"); };
  EXPECT_FALSE(cache_.Get("a", fail).ok());
  const auto exhaust = []() -> absl::StatusOr<ModelCache::Model> { throw std::bad_alloc(); };
  EXPECT_EQ(cache_.Get("a", exhaust).status().code(), absl::StatusCode::kResourceExhausted);
  Get("a");
  EXPECT_EQ(loads_, 1);
}

TEST_F(ModelCacheTest, LoadsOnceForManyAtATime) {
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();
  std::atomic<int> loads{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto model = cache_.Get("a", [&]() -> absl::StatusOr<ModelCache::Model> {
        opened.wait();
        ++loads;
        return ModelCache::Model(std::make_shared<FakeModel>(1));
      });
      EXPECT_TRUE(model.ok());
    });
  }
  gate.set_value();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(loads, 1);
}

}  // namespace
}  // namespace switchyard::worker
