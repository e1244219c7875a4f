#include "scheduler/service/new_job.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/id/job_id.h"

namespace switchyard::scheduler {
namespace {

// Whole range of both protobuf types fits in 64 bits of microseconds.
template <typename Proto>
int64_t Micros(const Proto& proto) {
  return proto.seconds() * 1'000'000 + proto.nanos() / 1000;
}

// What decides how much memory work of a kind needs beside its model.
std::string ShapeOf(const v1::Job& job) {
  if (!job.has_train()) return "";
  const v1::TrainSpec& train = job.train();
  return absl::StrCat(train.architecture(), ",batch=", train.batch_size(),
                      ",image=", train.image_size(), "x", train.channels());
}

// Commands are alike when they run the same program on the same script.
std::string LikeWork(const v1::CommandSpec& command) {
  const std::string script = command.arguments().empty() ? "" : command.arguments(0);
  return absl::StrCat("command:", command.program(), " ", script.substr(0, 100));
}

}  // namespace

NewJob MakeNewJob(const v1::Job& job) {
  NewJob made;
  made.kind = static_cast<uint16_t>(job.kind_case());
  made.priority = static_cast<uint8_t>(job.priority());
  made.device = job.device();
  if (job.has_predict())
    made.model_key = absl::StrCat(job.predict().model(), ":", job.predict().version());
  if (job.has_command()) made.model_key = LikeWork(job.command());
  if (job.has_not_before()) made.not_before_us = Micros(job.not_before());
  if (job.has_expire_time()) made.expire_us = Micros(job.expire_time());
  made.memory_bytes = job.memory_bytes();
  made.shape = ShapeOf(job);
  if (job.has_no_progress_timeout()) made.no_progress_us = Micros(job.no_progress_timeout());
  if (job.has_timeout()) made.timeout_us = Micros(job.timeout());
  if (job.device_count() > 1) made.device_count = static_cast<uint16_t>(job.device_count());
  if (job.has_preemptible()) made.preemptible = job.preemptible();
  for (const std::string& each : job.depends_on()) {
    NewJob::Dependency& dependency = made.depends_on.emplace_back();
    absl::string_view text = each;
    dependency.in_submit = absl::ConsumePrefix(&text, "#");
    if (dependency.in_submit) {
      if (!absl::SimpleAtoi(text, &dependency.jobs.first)) dependency.jobs.first = JobId{1} << 62;
    } else {
      dependency.jobs.first = ParseJobId(text).value_or(0);
    }
  }
  made.reuse = job.reuse();
  made.max_attempts = job.max_attempts();
  return made;
}

}  // namespace switchyard::scheduler
