#include "tests/e2e/digits.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace switchyard::e2e {

void MakeDigits(Fleet& fleet) {
  const std::string command =
      absl::StrCat("'", SWITCHYARD_BIN, "/switchyard-datagen' digits '", SWITCHYARD_DIGITS, "' '",
                   fleet.data_root(), "/train' '", fleet.data_root(), "/test' >/dev/null 2>&1");
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

v1::Job TrainDigits(const Fleet& fleet, uint32_t epochs) {
  v1::Job job;
  v1::TrainSpec& spec = *job.mutable_train();
  spec.mutable_train()->set_path(fleet.data_root() + "/train");
  spec.set_save_as("digits");
  spec.set_epochs(epochs);
  spec.set_seed(7);
  spec.mutable_checkpoint_interval()->set_seconds(1);
  return job;
}

bool WaitForProgress(Fleet& fleet, const std::string& id, double fraction) {
  return fleet.WaitUntil([&] { return fleet.Get(id).progress() >= fraction; }, absl::Minutes(2));
}

}  // namespace switchyard::e2e
