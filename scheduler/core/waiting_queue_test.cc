#include "scheduler/core/waiting_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace switchyard::scheduler {
namespace {

constexpr int64_t kInterval = 1'000'000;
constexpr auto kAlways = [](uint32_t) { return true; };

class WaitingQueueTest : public testing::Test {
 protected:
  WaitingQueueTest() { queue_.GroupNumber(GroupKey{}); }

  uint32_t AccountOf(const std::string& tenant, const std::string& key = "",
                     const ArrayMembership& array = {}) {
    const uint32_t number = accounts_.TenantNumber(tenant);
    return accounts_.AccountNumber(number, accounts_.KeyNumber(number, key), array);
  }
  uint32_t Add(JobId id, const std::string& tenant, uint8_t priority, int64_t create_us = 0,
               const std::string& key = "", const ArrayMembership& array = {}) {
    const uint32_t job = rows_.Add();
    rows_[job].id = id;
    rows_[job].account = AccountOf(tenant, key, array);
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
  Accounts accounts_;
  Charges charges_{accounts_, /*half_life_us=*/0, /*idle_credit_us=*/0, false};
  WaitingQueue queue_{
      rows_, accounts_, charges_, kInterval, /*patience_percent=*/0, /*reversed=*/false};
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
  charges_.Use(accounts_.TenantNumber("a"), 1000);
  EXPECT_EQ(Take(), 2u);
  EXPECT_EQ(Take(), 1u);
}

TEST_F(WaitingQueueTest, AgeingMovesAStreamOnlyWhenItIsLookedAt) {
  Add(1, "a", 6);
  now_us_ = 2 * kInterval;
  Add(2, "b", 5, now_us_);
  queue_.Age(now_us_, kAlways);
  EXPECT_EQ(Take(), 1u);
}

TEST_F(WaitingQueueTest, AJobThatBeginsToWaitAnewHoldsDownNoneThatHasWaitedLonger) {
  const uint32_t first = Add(NextJobId(0, 1), "a", 9, 1000);
  const JobId second = NextJobId(0, 2);
  Add(second, "a", 9, 2000);
  EXPECT_EQ(Take(), rows_[first].id);
  now_us_ = 3 * kInterval + 2000;
  rows_[first].cold = std::make_unique<JobCold>();
  rows_[first].cold->past.push_back({.end_us = now_us_, .outcome = Outcome::kPreempted});
  queue_.Push(first, now_us_);
  queue_.Age(now_us_, kAlways);
  const JobId other = NextJobId(0, now_us_ / 1000);
  Add(other, "b", 7, now_us_);
  EXPECT_EQ(Take(), second);
  EXPECT_EQ(Take(), other);
  EXPECT_EQ(Take(), rows_[first].id);
  EXPECT_EQ(Take(), 0u);
}

TEST_F(WaitingQueueTest, ATenantAtItsCapIsPassedOverUntilOneOfItsAttemptsEnds) {
  accounts_.Set(TenantSettings{.name = "a", .max_running = 1});
  Add(1, "a", 5);
  Add(2, "a", 5);
  Add(3, "b", 5);
  EXPECT_EQ(Take(), 1u);
  queue_.Occupy(AccountOf("a"), 1);
  EXPECT_EQ(Take(), 3u);
  EXPECT_EQ(Take(), 0u);
  queue_.Release(AccountOf("a"), 1);
  EXPECT_EQ(Take(), 2u);
}

TEST_F(WaitingQueueTest, AKeyAtItsCapHoldsBackItsOwnJobsOnly) {
  accounts_.Set(KeySettings{.id = "k", .tenant = "a", .max_running = 1});
  queue_.Occupy(AccountOf("a", "k"), 1);
  const uint32_t held = Add(1, "a", 5, 0, "k");
  Add(2, "a", 5);
  EXPECT_EQ(queue_.Hold(rows_[held]), Reason::kKeyLimit);
  EXPECT_EQ(Take(), 2u);
  EXPECT_EQ(Take(), 0u);
  accounts_.Set(KeySettings{.id = "k", .tenant = "a", .max_running = 2});
  queue_.KeyChanged(accounts_[AccountOf("a", "k")].key);
  EXPECT_EQ(Take(), 1u);
}

TEST_F(WaitingQueueTest, AnArrayRunsNoMoreThanItsWidth) {
  const ArrayMembership array{.id = 1, .width = 2};
  for (JobId id = 1; id <= 3; ++id) Add(id, "a", 5, 0, "", array);
  const uint32_t account = AccountOf("a", "", array);
  for (JobId id = 1; id <= 2; ++id) {
    EXPECT_EQ(Take(), id);
    queue_.Occupy(account, 1);
  }
  EXPECT_EQ(Take(), 0u);
  queue_.Release(account, 1);
  EXPECT_EQ(Take(), 3u);
}

TEST_F(WaitingQueueTest, AGuaranteeGoesBeforePriorityAndEndsWhereItIsUsedUp) {
  accounts_.Set(TenantSettings{.name = "a", .guaranteed_running = 1});
  Add(1, "b", 4);
  Add(2, "a", 9);
  Add(3, "a", 9);
  EXPECT_EQ(Take(), 2u);
  queue_.Occupy(AccountOf("a"), 1);
  EXPECT_EQ(Take(), 1u);
  EXPECT_EQ(Take(), 3u);
}

TEST_F(WaitingQueueTest, AnArraysAccountIsForgottenWithItsLastJobAndItsPlaceIsUsedAgain) {
  const ArrayMembership array{.id = 1, .width = 2};
  const uint32_t first = AccountOf("a", "", array);
  accounts_.Join(first);
  Add(1, "a", 5, 0, "", array);
  EXPECT_EQ(Take(), 1u);
  ASSERT_TRUE(accounts_.Leave(first));
  queue_.Forget(first);
  accounts_.Forget(first);
  EXPECT_EQ(AccountOf("a", "", {.id = 2, .width = 1}), first);
  Add(2, "a", 5, 0, "", {.id = 2, .width = 1});
  EXPECT_EQ(Take(), 2u);
}

// Against the definition: the smallest (beyond guarantee, level, charge, id) over all that wait and
// that neither tenant, key nor array holds back.
TEST_F(WaitingQueueTest, GivesTheBestOfManyWhateverHappensToThem) {
  std::mt19937 random(7);
  accounts_.Set(TenantSettings{.name = "a", .guaranteed_running = 2});
  accounts_.Set(TenantSettings{.name = "b", .max_running = 3});
  accounts_.Set(KeySettings{.id = "k", .tenant = "c", .max_running = 2});
  const auto make = [&](JobId id) {
    ArrayMembership array;
    if (random() % 3 == 0) array = {.id = 1 + random() % 3, .width = 2};
    return Add(id, std::string(1, static_cast<char>('a' + random() % 6)),
               static_cast<uint8_t>(1 + random() % 9), now_us_, random() % 2 == 0 ? "k" : "",
               array);
  };
  std::set<uint32_t> waiting;
  std::vector<uint32_t> running;
  JobId next = 1;
  uint64_t held = 0;
  for (int step = 0; step < 6'000; ++step) {
    const uint32_t what = random() % 12;
    if (what < 5) {
      waiting.insert(make(next++));
    } else if (what == 5 && !waiting.empty()) {
      const auto victim =
          std::next(waiting.begin(), static_cast<int64_t>(random() % waiting.size()));
      queue_.Remove(*victim, now_us_);
      if (random() % 2 == 0) queue_.Push(*victim, now_us_);
      if (rows_[*victim].waits == Waits::kNot) waiting.erase(victim);
    } else if (what == 6) {
      now_us_ += static_cast<int64_t>(random() % 3000);
      queue_.Age(now_us_, kAlways);
    } else if (what < 9 && !running.empty()) {
      const size_t at = random() % running.size();
      queue_.Release(running[at], 1);
      running.erase(running.begin() + static_cast<int64_t>(at));
    } else {
      Place expected{.beyond_guarantee = true, .level = 99};
      for (const uint32_t job : waiting) {
        const LiveJob& row = rows_[job];
        if (queue_.Hold(row) != Reason::kNone) {
          ++held;
          continue;
        }
        const int level = EffectivePriority(row.priority, now_us_ - row.create_us, kInterval);
        const bool beyond = !accounts_.Guaranteed(accounts_[row.account].tenant, 1);
        expected = std::min(expected,
                            Place{beyond, level, accounts_.TenantOf(row.account).charge, row.id});
      }
      Candidate best;
      ASSERT_EQ(queue_.Best(0, best), expected.level != 99);
      if (expected.level == 99) continue;
      ASSERT_EQ(best.place, expected);
      charges_.Use(accounts_[rows_[best.job].account].tenant, static_cast<int64_t>(random() % 500));
      queue_.Occupy(rows_[best.job].account, 1);
      running.push_back(rows_[best.job].account);
      queue_.Remove(best.job, now_us_);
      waiting.erase(best.job);
    }
  }
  EXPECT_GT(held, 300u);
}

}  // namespace
}  // namespace switchyard::scheduler
