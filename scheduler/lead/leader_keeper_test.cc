#include "scheduler/lead/leader_keeper.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "scheduler/lead/led_store.h"
#include "scheduler/store/memory_lease_store.h"
#include "scheduler/store/memory_store.h"

namespace switchyard::scheduler {
namespace {

constexpr absl::Duration kLease = absl::Seconds(3);

// The shared rows, as one scheduler reaches them or not.
class Line final : public LeaseStore {
 public:
  explicit Line(LeaseStore& rows) : rows_(rows) {}
  absl::StatusOr<LeaderLease> Read() override {
    if (cut) return Cut();
    return rows_.Read();
  }
  absl::StatusOr<uint64_t> Take(const LeaderLease& seen, const SchedulerIdentity& self) override {
    if (cut) return Cut();
    return rows_.Take(seen, self);
  }
  absl::Status Renew(uint64_t term) override {
    if (cut) return Cut();
    return rows_.Renew(term);
  }
  absl::Status Release(uint64_t term) override { return rows_.Release(term); }
  absl::StatusOr<uint64_t> BumpEpoch(uint64_t term) override { return rows_.BumpEpoch(term); }
  absl::Status Note(const SchedulerIdentity& self) override { return rows_.Note(self); }
  absl::StatusOr<std::vector<StandbyRow>> Noted(absl::Duration age) override {
    return rows_.Noted(age);
  }

  bool cut = false;

 private:
  static absl::Status Cut() { return absl::UnavailableError("cut"); }
  LeaseStore& rows_;
};

class LeaderKeeperTest : public testing::Test {
 protected:
  struct Scheduler {
    Scheduler(LeaderKeeperTest& test, const std::string& name)
        : line(test.rows_),
          keeper({.self = {.id = name, .name = name, .client_address = name + ":1", .version = ""},
                  .lease = kLease,
                  .log = false},
                 line, test.clock_, [this] { ++changes; }) {}
    Line line;
    int changes = 0;
    LeaderKeeper keeper;
  };
  bool Leads(const Scheduler& scheduler) {
    return LeadingTerm(scheduler.keeper, clock_) != 0;
  }
  // Steps both every tenth of a second, until `end` says so or `time` is over. Never do both lead.
  template <typename End>
  absl::Duration RunUntil(absl::Duration time, End end) {
    constexpr absl::Duration kTick = absl::Milliseconds(100);
    absl::Duration passed;
    while (passed < time && !end()) {
      clock_.Advance(kTick);
      passed += kTick;
      for (Scheduler* scheduler : {&one_, &other_}) {
        if (scheduler != frozen_) scheduler->keeper.Step();
      }
      EXPECT_FALSE(Leads(one_) && Leads(other_));
    }
    return passed;
  }
  void Run(absl::Duration time) {
    RunUntil(time, [] { return false; });
  }

  FakeClock clock_;
  MemoryStore jobs_;
  MemoryLeaseStore rows_{jobs_, clock_};
  Scheduler one_{*this, "one"};
  Scheduler other_{*this, "other"};
  const Scheduler* frozen_ = nullptr;
};

TEST_F(LeaderKeeperTest, TheFirstToLookLeadsAtOnceAndGoesOn) {
  one_.keeper.Step();
  EXPECT_TRUE(Leads(one_));
  EXPECT_EQ(one_.changes, 1);
  Run(absl::Minutes(1));
  EXPECT_TRUE(Leads(one_));
  EXPECT_EQ(one_.keeper.Present().term, 1u);
  EXPECT_EQ(one_.changes, 1);
}

TEST_F(LeaderKeeperTest, AStandbyKnowsWhoLeads) {
  one_.keeper.Step();
  other_.keeper.Step();
  EXPECT_FALSE(Leads(other_));
  EXPECT_EQ(other_.keeper.Schedulers().leader.name, "one");
  const absl::Status refused = NotLeader(other_.keeper);
  EXPECT_TRUE(absl::IsUnavailable(refused));
  EXPECT_NE(refused.message().find("one at one:1 leads"), absl::string_view::npos) << refused;
}

TEST_F(LeaderKeeperTest, ALeaderThatIsGoneIsReplacedWithinALeaseAndAMoment) {
  one_.keeper.Step();
  Run(absl::Seconds(10));
  frozen_ = &one_;
  const absl::Duration took = RunUntil(absl::Minutes(1), [&] { return Leads(other_); });
  EXPECT_LE(took, kLease + absl::Milliseconds(500));
  EXPECT_GE(took, kLease - kLease / 6);
}

TEST_F(LeaderKeeperTest, AFrozenLeaderThatWakesLateDoesNotLeadAndLearnsOfIt) {
  one_.keeper.Step();
  frozen_ = &one_;
  RunUntil(absl::Minutes(1), [&] { return Leads(other_); });
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Leads(one_));  // Before it has done anything.
  EXPECT_TRUE(one_.keeper.Present().leads);
  frozen_ = nullptr;
  one_.keeper.Step();
  EXPECT_TRUE(one_.keeper.deposed());
  Run(absl::Seconds(10));
  EXPECT_TRUE(Leads(other_));
  EXPECT_FALSE(Leads(one_));
}

TEST_F(LeaderKeeperTest, ALeaderCutOffFromTheStoreStopsBeforeTheNextOneBegins) {
  one_.keeper.Step();
  Run(absl::Seconds(2));
  one_.line.cut = true;
  RunUntil(absl::Minutes(1), [&] { return !Leads(one_); });
  EXPECT_FALSE(Leads(other_));
  RunUntil(absl::Minutes(1), [&] { return Leads(other_); });
  EXPECT_TRUE(Leads(other_));
  EXPECT_FALSE(one_.keeper.deposed());  // It cannot know.
  one_.line.cut = false;
  Run(absl::Seconds(1));
  EXPECT_TRUE(one_.keeper.deposed());
}

TEST_F(LeaderKeeperTest, ALeaderThatComesBackBeforeAnybodyTookOverGoesOnInItsTerm) {
  one_.keeper.Step();
  one_.line.cut = true;
  frozen_ = &other_;
  RunUntil(absl::Minutes(1), [&] { return !Leads(one_); });
  const int changes = one_.changes;
  one_.line.cut = false;
  Run(absl::Seconds(1));
  EXPECT_TRUE(Leads(one_));
  EXPECT_EQ(one_.keeper.Present().term, 1u);
  EXPECT_EQ(one_.changes, changes + 1);
  EXPECT_FALSE(one_.keeper.deposed());
}

TEST_F(LeaderKeeperTest, WhenTheStoreWasAwayTheLeaderIsGivenTheTimeToRenew) {
  one_.keeper.Step();
  Run(absl::Seconds(2));
  one_.line.cut = other_.line.cut = true;
  Run(absl::Minutes(1));
  EXPECT_FALSE(Leads(one_));
  other_.line.cut = false;  // The standby reaches it first.
  Run(kLease - absl::Milliseconds(200));
  EXPECT_FALSE(Leads(other_));
  one_.line.cut = false;
  Run(absl::Seconds(10));
  EXPECT_TRUE(Leads(one_));
  EXPECT_EQ(one_.keeper.Present().term, 1u);
}

TEST_F(LeaderKeeperTest, AStandbyThatWasFrozenItselfBeginsToCountAnew) {
  one_.keeper.Step();
  other_.keeper.Step();
  // Neither ran: the other one wakes first.
  clock_.Advance(absl::Minutes(1));
  other_.keeper.Step();
  EXPECT_FALSE(Leads(other_));
  one_.keeper.Step();
  EXPECT_TRUE(Leads(one_));
}

TEST_F(LeaderKeeperTest, WhatIsGivenBackIsTakenAtTheNextLook) {
  one_.keeper.Step();
  other_.keeper.Step();
  one_.keeper.GiveBack();
  EXPECT_FALSE(Leads(one_));
  other_.keeper.Step();
  EXPECT_TRUE(Leads(other_));
}

TEST_F(LeaderKeeperTest, TheNextProcessOnTheSameFolderNeedNotWait) {
  one_.keeper.Step();
  Scheduler again(*this, "one");
  again.keeper.Step();
  EXPECT_TRUE(Leads(again));
  EXPECT_EQ(again.keeper.Present().term, 2u);
}

TEST_F(LeaderKeeperTest, TheLeaderListsWhoStandsBy) {
  one_.keeper.Step();
  Run(absl::Seconds(3));
  const SchedulersView view = one_.keeper.Schedulers();
  EXPECT_EQ(view.leader.name, "one");
  ASSERT_EQ(view.standbys.size(), 1u);
  EXPECT_EQ(view.standbys[0].scheduler.name, "other");
}

TEST_F(LeaderKeeperTest, OnlyTheLeaderRaisesTheEpoch) {
  one_.keeper.Step();
  other_.keeper.Step();
  LedStore leading(jobs_, rows_, one_.keeper);
  LedStore standing_by(jobs_, rows_, other_.keeper);
  const absl::StatusOr<uint64_t> epoch = leading.BumpEpoch();
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_FALSE(standing_by.BumpEpoch().ok());
  EXPECT_EQ(jobs_.epoch(), *epoch);
}

}  // namespace
}  // namespace switchyard::scheduler
