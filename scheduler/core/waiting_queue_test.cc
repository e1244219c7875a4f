#include "scheduler/core/waiting_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kInterval = 1'000'000;

class WaitingQueueTest : public testing::Test {
 protected:
  WaitingQueueTest() { queue_.GroupNumber(GroupKey{}); }

  uint32_t Add(JobId id, const std::string& tenant, uint8_t priority, int64_t create_us = 0) {
    const uint32_t job = rows_.Add();
    rows_[job].id = id;
    rows_[job].tenant = queue_.TenantNumber(tenant, 1);
    rows_[job].priority = priority;
    rows_[job].create_us = create_us;
    queue_.Push(job, now_us_);
    return job;
  }
  // Takes the best; 0: none waits.
  JobId Take() {
    Candidate best;
    if (!queue_.Best(0, best)) return 0;
    const JobId id = rows_[best.job].id;
    queue_.Remove(best.job, now_us_);
    return id;
  }

  Slab<LiveJob> rows_;
  WaitingQueue queue_{rows_, kInterval, /*reversed=*/false};
  int64_t now_us_ = 0;
};

TEST_F(WaitingQueueTest, AJobThatComesBackHasItsOldPlace) {
  const uint32_t first = Add(1, "a", 5);
  Add(2, "a", 5);
  EXPECT_EQ(Take(), 1u);
  Add(3, "a", 5);
  queue_.Push(first, now_us_);
  EXPECT_EQ(Take(), 1u);
  EXPECT_EQ(Take(), 2u);
  EXPECT_EQ(Take(), 3u);
  EXPECT_EQ(Take(), 0u);
}

TEST_F(WaitingQueueTest, TheLeastChargedTenantGoesFirst) {
  Add(1, "a", 5);
  Add(2, "b", 5);
  queue_.Charge(queue_.TenantNumber("a", 1), 1000);
  EXPECT_EQ(Take(), 2u);
  EXPECT_EQ(Take(), 1u);
}

TEST_F(WaitingQueueTest, AgeingMovesAStreamOnlyWhenItIsLookedAt) {
  Add(1, "a", 6);
  now_us_ = 2 * kInterval;
  Add(2, "b", 5, now_us_);
  queue_.Age(now_us_);
  EXPECT_EQ(Take(), 1u);
}

// Against the definition: the smallest (level, charge, id) over all that wait.
TEST_F(WaitingQueueTest, GivesTheBestOfManyWhateverHappensToThem) {
  std::mt19937 random(7);
  std::set<uint32_t> waiting;
  JobId next = 1;
  for (int step = 0; step < 20'000; ++step) {
    const uint32_t what = random() % 10;
    if (what < 5) {
      waiting.insert(Add(next++, std::string(1, static_cast<char>('a' + random() % 6)),
                         static_cast<uint8_t>(1 + random() % 9), now_us_));
    } else if (what == 5 && !waiting.empty()) {
      const auto victim =
          std::next(waiting.begin(), static_cast<int64_t>(random() % waiting.size()));
      queue_.Remove(*victim, now_us_);
      if (random() % 2 == 0) queue_.Push(*victim, now_us_);
      if (rows_[*victim].waits == Waits::kNot) waiting.erase(victim);
    } else if (what == 6) {
      now_us_ += static_cast<int64_t>(random() % 3000);
      queue_.Age(now_us_);
    } else if (Candidate best; queue_.Best(0, best)) {
      Place expected{.level = 99};
      for (const uint32_t job : waiting) {
        const LiveJob& row = rows_[job];
        const int level = EffectivePriority(row.priority, now_us_ - row.create_us, kInterval);
        expected = std::min(expected, Place{level, queue_.tenant(row.tenant).charge, row.id});
      }
      ASSERT_EQ(best.place.level, expected.level);
      ASSERT_EQ(best.place.charge, expected.charge);
      ASSERT_EQ(best.place.job, expected.job);
      queue_.Charge(rows_[best.job].tenant, static_cast<int64_t>(random() % 500));
      queue_.Remove(best.job, now_us_);
      waiting.erase(best.job);
    }
  }
}

}  // namespace
}  // namespace switchyard::scheduler
