// What every LeaseStore promises, run over each implementation. A test file defines a house and
// instantiates the suite.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "gtest/gtest.h"
#include "scheduler/store/job_store.h"
#include "scheduler/store/lease_store.h"

namespace switchyard::scheduler {

// One installation's rows: jobs and lease, opened by as many schedulers as the test wants.
class LeaseHouse {
 public:
  virtual ~LeaseHouse() = default;
  virtual std::unique_ptr<LeaseStore> OpenLeases() = 0;
  // Belongs to the house.
  virtual JobStore& jobs() = 0;
};

struct LeaseHouseMaker {
  std::string name;
  std::function<std::unique_ptr<LeaseHouse>()> make;
  friend void PrintTo(const LeaseHouseMaker& maker, std::ostream* out) { *out << maker.name; }
};

class LeaseStoreContract : public testing::TestWithParam<LeaseHouseMaker> {
 protected:
  static SchedulerIdentity Scheduler(const std::string& name) {
    return {.id = "id-" + name, .name = name, .client_address = name + ":7071", .version = "1"};
  }
  // Takes the lead as it is now; 0 on an error, which is reported.
  uint64_t Take(LeaseStore& store, const std::string& name);

  const std::unique_ptr<LeaseHouse> house_ = GetParam().make();
  const std::unique_ptr<LeaseStore> one_ = house_->OpenLeases();
  const std::unique_ptr<LeaseStore> other_ = house_->OpenLeases();
};

}  // namespace switchyard::scheduler
