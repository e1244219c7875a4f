#include "scheduler/store/lease_store_contract.h"

namespace switchyard::scheduler {

uint64_t LeaseStoreContract::Take(LeaseStore& store, const std::string& name) {
  const absl::StatusOr<LeaderLease> seen = store.Read();
  EXPECT_TRUE(seen.ok()) << seen.status();
  if (!seen.ok()) return 0;
  const absl::StatusOr<uint64_t> term = store.Take(*seen, Scheduler(name));
  EXPECT_TRUE(term.ok()) << term.status();
  return term.value_or(0);
}

TEST_P(LeaseStoreContract, NobodyHoldsANewLease) {
  const absl::StatusOr<LeaderLease> lease = one_->Read();
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_FALSE(lease->held);
  EXPECT_EQ(lease->term, 0u);
}

TEST_P(LeaseStoreContract, EverybodySeesWhoTookIt) {
  const uint64_t term = Take(*one_, "one");
  const LeaderLease seen = *other_->Read();
  EXPECT_TRUE(seen.held);
  EXPECT_EQ(seen.term, term);
  EXPECT_EQ(seen.holder.id, "id-one");
  EXPECT_EQ(seen.holder.name, "one");
  EXPECT_EQ(seen.holder.client_address, "one:7071");
  EXPECT_EQ(seen.holder.version, "1");
}

TEST_P(LeaseStoreContract, OnlyOneOfTwoWhoSawTheSameTakesIt) {
  const LeaderLease seen = *one_->Read();
  EXPECT_TRUE(one_->Take(seen, Scheduler("one")).ok());
  EXPECT_TRUE(absl::IsAborted(other_->Take(seen, Scheduler("other")).status()));
}

TEST_P(LeaseStoreContract, ARenewalAfterTheLookKeepsItFromBeingTaken) {
  const uint64_t term = Take(*one_, "one");
  const LeaderLease seen = *other_->Read();
  EXPECT_TRUE(one_->Renew(term).ok());
  EXPECT_GT(other_->Read()->renewal, seen.renewal);
  EXPECT_TRUE(absl::IsAborted(other_->Take(seen, Scheduler("other")).status()));
  EXPECT_TRUE(one_->Renew(term).ok());
}

TEST_P(LeaseStoreContract, ATermThatIsOverIsNotRenewedAndRaisesNoEpoch) {
  const uint64_t old_term = Take(*one_, "one");
  const uint64_t new_term = Take(*other_, "other");
  EXPECT_GT(new_term, old_term);
  EXPECT_TRUE(absl::IsFailedPrecondition(one_->Renew(old_term)));
  EXPECT_TRUE(absl::IsFailedPrecondition(one_->BumpEpoch(old_term).status()));
  EXPECT_TRUE(other_->BumpEpoch(new_term).ok());
}

TEST_P(LeaseStoreContract, CommitsOfTheLeaderBeforeAreRefusedFromTheMomentItIsTaken) {
  const absl::StatusOr<uint64_t> epoch = one_->BumpEpoch(Take(*one_, "one"));
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  WriteBatch batch;
  batch.documents.push_back({{"test", "", "first"}, "bytes"});
  EXPECT_TRUE(house_->jobs().Commit(*epoch, batch).ok());
  Take(*other_, "other");
  const absl::Status late = house_->jobs().Commit(*epoch, batch);
  EXPECT_TRUE(absl::IsFailedPrecondition(late)) << late;
}

TEST_P(LeaseStoreContract, WhatWasGivenBackIsFree) {
  const uint64_t term = Take(*one_, "one");
  EXPECT_TRUE(one_->Release(term).ok());
  EXPECT_FALSE(other_->Read()->held);
  EXPECT_TRUE(absl::IsFailedPrecondition(one_->Renew(term)));
  EXPECT_GT(Take(*other_, "other"), term);
}

TEST_P(LeaseStoreContract, GivingBackATermThatIsOverDoesNothing) {
  const uint64_t term = Take(*one_, "one");
  Take(*other_, "other");
  EXPECT_TRUE(one_->Release(term).ok());
  EXPECT_TRUE(one_->Read()->held);
}

TEST_P(LeaseStoreContract, ListsWhoStandsByUntilItLeads) {
  ASSERT_TRUE(one_->Note(Scheduler("one")).ok());
  ASSERT_TRUE(other_->Note(Scheduler("other")).ok());
  ASSERT_TRUE(other_->Note(Scheduler("other")).ok());
  std::vector<StandbyRow> rows = *one_->Noted(absl::Minutes(1));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].scheduler.name, "one");
  EXPECT_EQ(rows[1].scheduler.client_address, "other:7071");
  EXPECT_LT(rows[1].age, absl::Minutes(1));
  Take(*other_, "other");
  rows = *one_->Noted(absl::Minutes(1));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].scheduler.name, "one");
}

}  // namespace switchyard::scheduler
