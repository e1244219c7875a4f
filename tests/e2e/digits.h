// Trainings on the digits the project carries.
#pragma once

#include <string>

#include "tests/e2e/fleet.h"

namespace switchyard::e2e {

// Writes them as pictures into `train` and `test` beneath the fleet's data root; fails the test
// when it cannot.
void MakeDigits(Fleet& fleet);

// Trains on them: the same bits whenever nothing interferes.
v1::Job TrainDigits(const Fleet& fleet, uint32_t epochs);

// Waits until so much of the job is done.
bool WaitForProgress(Fleet& fleet, const std::string& id, double fraction);

}  // namespace switchyard::e2e
