// Reads the ends of the benchmark's jobs on a WatchResults stream and checks every one: succeeded,
// the payload byte for byte, none twice, and in the end that each id has the payload it was
// submitted with.
//
// Add... and the waits may be called from any thread; the reading is done by a thread of this
// object.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/id/job_id.h"
#include "common/sync/mutex.h"
#include "grpcpp/grpcpp.h"
#include "switchyard/v1/job_service.grpc.pb.h"

namespace switchyard::bench {

class Results {
 public:
  // Expects payload numbers below `jobs`. Returns once the stream is open on the server's side.
  static absl::StatusOr<std::unique_ptr<Results>> Open(std::shared_ptr<grpc::Channel> channel,
                                                       uint64_t jobs);
  ~Results();

  // What the server answered for payload `number`.
  void Accepted(uint64_t number, absl::string_view id);
  // Blocks until the result of `number` is there. Used one at a time.
  absl::Status WaitFor(uint64_t number, absl::Duration timeout);
  // Blocks until all are there, then checks ids. DEADLINE_EXCEEDED says how many are missing.
  absl::Status WaitForAll(absl::Duration timeout);
  // When the last result was read.
  absl::Time last_read() const;

 private:
  Results(std::shared_ptr<grpc::Channel> channel, uint64_t jobs);
  void Read();
  void Take(const v1::WatchResultsResponse& response) EXCLUDES(mutex_);
  absl::Status Check(const v1::Job& job) REQUIRES(mutex_);
  absl::Status Wait(const std::function<bool()>& done, absl::Duration timeout) REQUIRES(mutex_);

  const std::unique_ptr<v1::JobService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResultsResponse>> stream_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool open_ GUARDED_BY(mutex_) = false;
  uint64_t count_ GUARDED_BY(mutex_) = 0;
  std::vector<JobId> ended_ GUARDED_BY(mutex_);     // By number; 0: not yet.
  std::vector<JobId> accepted_ GUARDED_BY(mutex_);  // By number.
  absl::Time last_read_ GUARDED_BY(mutex_);
  absl::Status failed_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace switchyard::bench
