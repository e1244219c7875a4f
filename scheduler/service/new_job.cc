#include "scheduler/service/new_job.h"

#include "absl/strings/str_cat.h"

namespace switchyard::scheduler {
namespace {

// Whole range of both protobuf types fits in 64 bits of microseconds.
template <typename Proto>
int64_t Micros(const Proto& proto) {
  return proto.seconds() * 1'000'000 + proto.nanos() / 1000;
}

}  // namespace

NewJob MakeNewJob(const v1::Job& job) {
  NewJob made;
  made.kind = static_cast<uint16_t>(job.kind_case());
  made.priority = static_cast<uint8_t>(job.priority());
  made.device = job.device();
  if (job.has_predict())
    made.model_key = absl::StrCat(job.predict().model(), ":", job.predict().version());
  if (job.has_not_before()) made.not_before_us = Micros(job.not_before());
  if (job.has_expire_time()) made.expire_us = Micros(job.expire_time());
  if (job.has_timeout()) made.timeout_us = Micros(job.timeout());
  if (job.device_count() > 1) made.device_count = static_cast<uint16_t>(job.device_count());
  if (job.has_preemptible()) made.preemptible = job.preemptible();
  return made;
}

}  // namespace switchyard::scheduler
