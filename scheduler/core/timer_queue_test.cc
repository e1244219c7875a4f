#include "scheduler/core/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace switchyard::scheduler {
namespace {

TEST(TimerQueue, EqualTimesComeOutInOrderOfAddition) {
  TimerQueue timers;
  for (uint32_t i = 0; i < 20; ++i) timers.Add(5, {TimerKind::kLease, i});
  Timer timer;
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(timers.PopDue(5, timer));
    EXPECT_EQ(timer.subject, i);
  }
  EXPECT_FALSE(timers.PopDue(5, timer));
  EXPECT_EQ(timers.Next(), kNever);
}

TEST(TimerQueue, ACancelledTimerNeverFires) {
  TimerQueue timers;
  uint32_t handle = timers.Add(1, {TimerKind::kLease, 1});
  timers.Add(2, {TimerKind::kLease, 2});
  timers.Cancel(handle);
  EXPECT_EQ(handle, kNone);
  timers.Cancel(handle);
  Timer timer;
  ASSERT_TRUE(timers.PopDue(9, timer));
  EXPECT_EQ(timer.subject, 2u);
  EXPECT_FALSE(timers.PopDue(9, timer));
}

TEST(TimerQueue, AgreesWithASortedMapWhateverIsAddedAndRemoved) {
  std::mt19937 random(1);
  TimerQueue timers;
  std::map<std::pair<int64_t, uint32_t>, uint32_t> expected;  // (time, subject) to handle.
  for (uint32_t i = 0; i < 20'000; ++i) {
    const uint32_t what = random() % 4;
    if (what < 2) {
      const int64_t when_us = static_cast<int64_t>(random() % 1000);
      expected[{when_us, i}] = timers.Add(when_us, {TimerKind::kAttempt, i});
    } else if (what == 2 && !expected.empty()) {
      auto victim = expected.lower_bound({static_cast<int64_t>(random() % 1000), 0});
      if (victim == expected.end()) victim = expected.begin();
      timers.Remove(victim->second);
      expected.erase(victim);
    } else if (!expected.empty()) {
      Timer timer;
      ASSERT_EQ(timers.Next(), expected.begin()->first.first);
      ASSERT_TRUE(timers.PopDue(timers.Next(), timer));
      EXPECT_EQ(timer.subject, expected.begin()->first.second);
      expected.erase(expected.begin());
    }
  }
}

}  // namespace
}  // namespace switchyard::scheduler
