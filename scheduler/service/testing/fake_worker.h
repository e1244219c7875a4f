// A worker daemon as the scheduler sees it, for tests: speaks Attach over a real stream and runs
// nothing. It either finishes noop jobs at once or holds what it is given until the test says how
// it ends.
//
// Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/sync/mutex.h"
#include "grpcpp/grpcpp.h"
#include "switchyard/worker/v1/worker_service.grpc.pb.h"

namespace switchyard::scheduler {

struct FakeWorkerOptions {
  const char* id = "worker-1";
  const char* incarnation = "1";
  // Finish noop jobs with their payload as they come.
  bool finish_at_once = true;
  // What its hello reports to hold.
  std::vector<worker::v1::AttemptReport> attempts;
  bool heartbeats = true;
};

class FakeWorker {
 public:
  // Attaches and waits for the welcome (or the stream's end).
  FakeWorker(const std::string& address, FakeWorkerOptions options = {});
  // Cuts the stream.
  ~FakeWorker();

  // The next assignment that is not finished yet; waits for it. Null after 10 s.
  std::unique_ptr<worker::v1::Assignment> TakeAssignment();
  // Waits until a cancel (or recall) came for `ref`. False after 10 s.
  bool WaitForCancel(const worker::v1::AttemptRef& ref);
  bool WaitForAcknowledgement(const worker::v1::AttemptRef& ref);
  // Waits for the stream's end. Its status.
  grpc::Status WaitForEnd();

  void Start(const worker::v1::AttemptRef& ref);
  void Finish(const worker::v1::AttemptRef& ref, switchyard::v1::Attempt::Outcome outcome,
              const std::string& payload = "");
  void SendProgress(const worker::v1::AttemptRef& ref, uint64_t sequence, double fraction);
  void Send(const worker::v1::WorkerDelta& delta);

  worker::v1::Welcome welcome() const;
  size_t finished() const;

 private:
  void Read();
  void Take(worker::v1::SchedulerMessage& message);
  void Heartbeat();
  bool WaitUntil(const std::function<bool()>& condition) REQUIRES(mutex_);

  const FakeWorkerOptions options_;
  std::unique_ptr<worker::v1::WorkerService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<worker::v1::WorkerMessage, worker::v1::SchedulerMessage>>
      stream_;
  Mutex write_mutex_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<worker::v1::Assignment> assignments_ GUARDED_BY(mutex_);
  std::vector<worker::v1::AttemptRef> cancels_ GUARDED_BY(mutex_);
  std::vector<worker::v1::AttemptRef> acknowledged_ GUARDED_BY(mutex_);
  worker::v1::Welcome welcome_ GUARDED_BY(mutex_);
  bool welcomed_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
  bool stop_ GUARDED_BY(mutex_) = false;
  size_t finished_ GUARDED_BY(mutex_) = 0;
  grpc::Status status_ GUARDED_BY(mutex_);
  std::thread reader_;
  std::thread heart_;
};

}  // namespace switchyard::scheduler
