// Assignments for tests.
#pragma once

#include <functional>

#include "switchyard/v1/job.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"
#include "worker/start/attempt_key.h"

namespace switchyard::worker {

inline AttemptKey TestKey(uint64_t job, uint32_t attempt = 1) {
  return {job, attempt, 1, job * 16 + attempt};
}

inline ::switchyard::worker::v1::Assignment MakeAssignment(const AttemptKey& key,
                                                           const ::switchyard::v1::Job& job,
                                                           ::switchyard::v1::JobClass job_class,
                                                           uint64_t rank = 0) {
  ::switchyard::worker::v1::Assignment assignment;
  *assignment.mutable_ref() = RefOf(key);
  assignment.set_job(job.SerializeAsString());
  assignment.set_job_class(job_class);
  assignment.set_device("cpu");
  assignment.set_rank(rank);
  return assignment;
}

// `change` sets what the test is about.
inline ::switchyard::worker::v1::Assignment MakeNoop(
    const AttemptKey& key, const std::function<void(::switchyard::v1::NoopSpec&)>& change = nullptr,
    uint64_t rank = 0) {
  ::switchyard::v1::Job job;
  job.mutable_noop()->set_payload("payload");
  if (change) change(*job.mutable_noop());
  return MakeAssignment(key, job, ::switchyard::v1::INFERENCE, rank);
}

inline ::switchyard::worker::v1::Assignment MakeTrain(const AttemptKey& key, uint64_t rank = 0) {
  ::switchyard::v1::Job job;
  job.mutable_train();
  return MakeAssignment(key, job, ::switchyard::v1::TRAINING, rank);
}

}  // namespace switchyard::worker
