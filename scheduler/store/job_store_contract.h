// The suite every JobStore passes. A store's own test instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, JobStoreContract, testing::Values(StoreHouseMaker{"sqlite",
//   MakeHouse}));
#pragma once

#include <functional>
#include <memory>
#include <ostream>

#include "gtest/gtest.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

// Where a store's data lives over its closing and opening.
class StoreHouse {
 public:
  virtual ~StoreHouse() = default;
  // Opens the store on the same data as before. REQUIRES: the one opened before is destroyed.
  virtual std::unique_ptr<JobStore> Open() = 0;
};

// Which store the suite is run over.
struct StoreHouseMaker {
  const char* store;
  std::function<std::unique_ptr<StoreHouse>()> make;
  friend void PrintTo(const StoreHouseMaker& maker, std::ostream* out) { *out << maker.store; }
};

class JobStoreContract : public testing::TestWithParam<StoreHouseMaker> {
 protected:
  void SetUp() override;
  void Reopen();
  // Commits under the present epoch; fails the test when that fails.
  void Commit(const WriteBatch& batch);

  std::unique_ptr<StoreHouse> house_;
  std::unique_ptr<JobStore> store_;
  uint64_t epoch_ = 0;
};

}  // namespace switchyard::scheduler
