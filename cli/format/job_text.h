// Jobs, and what they produced, as people read them. Pure functions.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::cli {

// Name of the kind: "train".
std::string KindText(const v1::Job& job);
// "QUEUED (no device)".
std::string StateText(const v1::Job& job);
bool IsEnded(v1::Job::State state);

// One line a job.
std::string JobsTable(const google::protobuf::RepeatedPtrField<v1::Job>& jobs, absl::Time now);

// All there is to say of one.
std::string JobDetails(const v1::Job& job, absl::Time now);

// The result alone: answers of a predict, figures of a train. Empty when there is none.
std::string ResultText(const v1::Job& job);

// One line: how an ended job ended.
std::string EndText(const v1::Job& job);

}  // namespace switchyard::cli
