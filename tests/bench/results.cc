#include "tests/bench/results.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "tests/bench/payload.h"

namespace switchyard::bench {

Results::Results(std::shared_ptr<grpc::Channel> channel, uint64_t jobs)
    : stub_(v1::JobService::NewStub(std::move(channel))), ended_(jobs, 0), accepted_(jobs, 0) {}

absl::StatusOr<std::unique_ptr<Results>> Results::Open(std::shared_ptr<grpc::Channel> channel,
                                                       uint64_t jobs) {
  std::unique_ptr<Results> results(new Results(std::move(channel), jobs));
  results->stream_ = results->stub_->WatchResults(&results->context_, v1::WatchResultsRequest());
  results->thread_ = std::thread([r = results.get()] { r->Read(); });
  MutexLock lock(results->mutex_);
  const absl::Status status = results->Wait(
      [r = results.get()]() NO_THREAD_SAFETY_ANALYSIS { return r->open_; }, absl::Seconds(10));
  if (!status.ok()) return status;
  return results;
}

Results::~Results() {
  context_.TryCancel();
  thread_.join();
}

void Results::Read() {
  v1::WatchResultsResponse response;
  while (stream_->Read(&response)) Take(response);
  const grpc::Status status = stream_->Finish();
  MutexLock lock(mutex_);
  if (failed_.ok()) failed_ = FromGrpc(status);
  if (failed_.ok()) failed_ = absl::UnavailableError("the stream of results ended");
  changed_.SignalAll();
}

void Results::Take(const v1::WatchResultsResponse& response) {
  MutexLock lock(mutex_);
  open_ = true;
  for (const v1::Job& job : response.jobs()) {
    if (absl::Status status = Check(job); !status.ok() && failed_.ok()) failed_ = status;
  }
  last_read_ = absl::Now();
  changed_.SignalAll();
}

absl::Status Results::Check(const v1::Job& job) {
  if (job.state() != v1::Job::SUCCEEDED) {
    return absl::InternalError(absl::StrCat("job ", job.id(), " is ",
                                            v1::Job::State_Name(job.state()), ": ", job.message(),
                                            " ", job.error().message()));
  }
  const auto number = CheckPayload(job.noop_result().payload());
  const auto id = ParseJobId(job.id());
  if (!number.has_value() || *number >= ended_.size() || !id.has_value()) {
    return absl::DataLossError(absl::StrCat("job ", job.id(), " came back with other bytes"));
  }
  if (ended_[*number] != 0)
    return absl::InternalError(absl::StrCat("job ", job.id(), " ended twice"));
  ended_[*number] = *id;
  ++count_;
  return absl::OkStatus();
}

void Results::Accepted(uint64_t number, absl::string_view id) {
  const auto parsed = ParseJobId(id);
  MutexLock lock(mutex_);
  accepted_[number] = parsed.value_or(0);
}

absl::Status Results::Wait(const std::function<bool()>& done, absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  while (!done()) {
    if (!failed_.ok()) return failed_;
    const absl::Duration left = end - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          absl::StrCat(count_, " of ", ended_.size(), " results came"));
    }
    changed_.WaitFor(mutex_, absl::ToChronoNanoseconds(left));
  }
  return failed_;
}

absl::Status Results::WaitFor(uint64_t number, absl::Duration timeout) {
  MutexLock lock(mutex_);
  return Wait([&]() NO_THREAD_SAFETY_ANALYSIS { return ended_[number] != 0; }, timeout);
}

absl::Status Results::WaitForAll(absl::Duration timeout) {
  MutexLock lock(mutex_);
  const absl::Status status =
      Wait([&]() NO_THREAD_SAFETY_ANALYSIS { return count_ == ended_.size(); }, timeout);
  if (!status.ok()) return status;
  if (ended_ != accepted_) return absl::DataLossError("a job came back with another job's bytes");
  return absl::OkStatus();
}

absl::Time Results::last_read() const {
  MutexLock lock(mutex_);
  return last_read_;
}

}  // namespace switchyard::bench
