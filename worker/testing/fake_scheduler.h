// A scheduler for tests of the worker: serves Attach over real gRPC on loopback, welcomes every
// worker, keeps what it is told, and sends what the test says. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "switchyard/worker/v1/worker_service.grpc.pb.h"
#include "worker/start/attempt_key.h"

namespace switchyard::worker {

class FakeScheduler final : public ::switchyard::worker::v1::WorkerService::Service {
 public:
  using Report = ::switchyard::worker::v1::AttemptReport;
  using Hello = ::switchyard::worker::v1::Hello;
  using SchedulerDelta = ::switchyard::worker::v1::SchedulerDelta;
  using SchedulerMessage = ::switchyard::worker::v1::SchedulerMessage;
  using WorkerMessage = ::switchyard::worker::v1::WorkerMessage;

  explicit FakeScheduler(int port = 0) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    builder.SetMaxReceiveMessageSize(-1);
    server_ = builder.BuildAndStart();
  }
  ~FakeScheduler() override {
    Disconnect();
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // What the next welcomes say.
  void set_lease(absl::Duration lease) { lease_ = lease; }
  void set_heartbeat_interval(absl::Duration interval) { heartbeat_interval_ = interval; }
  void set_limits(uint32_t training, uint32_t inference) {
    training_ = training;
    inference_ = inference;
  }
  void set_epoch(uint64_t epoch) { epoch_ = epoch; }
  void set_keep_nothing() { keep_ = false; }
  void set_acknowledge(bool acknowledge) { acknowledge_ = acknowledge; }
  void set_acknowledge_heartbeats(bool acknowledge) { acknowledge_heartbeats_ = acknowledge; }

  // Waits for the n-th hello of all (1: the first).
  Hello WaitForHello(size_t n = 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    WaitLocked(
        lock, [&] { return hellos_.size() >= n; }, "hello");
    return hellos_.size() >= n ? hellos_[n - 1] : Hello();
  }

  // To the attached worker; waits for one.
  void Send(SchedulerDelta delta) {
    std::unique_lock<std::mutex> lock(mutex_);
    WaitLocked(
        lock, [&] { return stream_open_; }, "stream");
    SchedulerMessage message;
    message.set_epoch(epoch_);
    *message.mutable_delta() = std::move(delta);
    outbox_.push_back(std::move(message));
    changed_.notify_all();
  }

  // Ends the stream; the worker comes back by itself.
  void Disconnect() {
    std::unique_lock<std::mutex> lock(mutex_);
    disconnect_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.notify_all();
  }

  // Waits until a report of the attempt is of this kind, and gives it; an empty one when none came.
  Report WaitForReport(const AttemptKey& key, Report::ReportCase kind,
                       absl::Duration timeout = absl::Seconds(20)) {
    std::unique_lock<std::mutex> lock(mutex_);
    Report found;
    WaitLocked(
        lock,
        [&] {
          for (const Report& report : reports_) {
            if (KeyOf(report.ref()) == key && report.report_case() == kind) {
              found = report;
              return true;
            }
          }
          return false;
        },
        "report", timeout);
    return found;
  }
  Report WaitForFinished(const AttemptKey& key, absl::Duration timeout = absl::Seconds(20)) {
    return WaitForReport(key, Report::kFinished, timeout);
  }
  // Waits until so many `finished` reports came.
  bool WaitForFinishedCount(size_t count, absl::Duration timeout = absl::Seconds(30)) {
    std::unique_lock<std::mutex> lock(mutex_);
    return WaitLocked(
        lock, [&] { return finished_ >= count; }, "finished", timeout);
  }
  size_t CountReports(const AttemptKey& key, Report::ReportCase kind) {
    std::unique_lock<std::mutex> lock(mutex_);
    size_t count = 0;
    for (const Report& report : reports_)
      count += KeyOf(report.ref()) == key && report.report_case() == kind;
    return count;
  }
  std::vector<::switchyard::worker::v1::AttemptEvents> Events() {
    std::unique_lock<std::mutex> lock(mutex_);
    return events_;
  }
  bool WaitForDraining() {
    std::unique_lock<std::mutex> lock(mutex_);
    return WaitLocked(
        lock, [&] { return draining_; }, "draining");
  }
  // Called with each finished report, from the reading thread.
  void set_on_finished(std::function<void(const Report&)> call) { on_finished_ = std::move(call); }
  // Keeps only counts, for load.
  void set_keep_reports(bool keep) { keep_reports_ = keep; }

 private:
  using Stream = grpc::ServerReaderWriter<SchedulerMessage, WorkerMessage>;

  template <typename Condition>
  bool WaitLocked(std::unique_lock<std::mutex>& lock, Condition condition, const char*,
                  absl::Duration timeout = absl::Seconds(20)) {
    return changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout), condition);
  }

  grpc::Status Attach(grpc::ServerContext* context, Stream* stream) override {
    WorkerMessage message;
    if (!stream->Read(&message) || !message.has_hello()) return grpc::Status::CANCELLED;
    SchedulerMessage welcome = MakeWelcome(message.hello());
    {
      std::unique_lock<std::mutex> lock(mutex_);
      hellos_.push_back(message.hello());
      stream_open_ = true;
      disconnect_ = false;
      context_ = context;
      outbox_.clear();
      changed_.notify_all();
    }
    stream->Write(welcome);
    std::thread writer([this, stream] { Write(stream); });
    while (stream->Read(&message)) Take(*message.mutable_delta());
    {
      std::unique_lock<std::mutex> lock(mutex_);
      stream_open_ = false;
      disconnect_ = true;
      context_ = nullptr;
      changed_.notify_all();
    }
    writer.join();
    return grpc::Status::OK;
  }

  SchedulerMessage MakeWelcome(const Hello& hello) {
    SchedulerMessage message;
    message.set_epoch(epoch_);
    auto* welcome = message.mutable_welcome();
    const auto set = [](absl::Duration from, google::protobuf::Duration* to) {
      to->set_seconds(absl::ToInt64Seconds(from));
      to->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(from % absl::Seconds(1))));
    };
    set(lease_, welcome->mutable_lease());
    set(heartbeat_interval_, welcome->mutable_heartbeat_interval());
    for (const Report& report : hello.attempts()) {
      if (keep_) *welcome->add_keep() = report.ref();
    }
    const auto limit = [welcome](::switchyard::v1::JobClass job_class, uint32_t max) {
      auto* limit = welcome->add_limits();
      limit->set_device("cpu");
      limit->set_job_class(job_class);
      limit->set_max_running(max);
    };
    limit(::switchyard::v1::TRAINING, training_);
    limit(::switchyard::v1::INFERENCE, inference_);
    return message;
  }

  void Take(::switchyard::worker::v1::WorkerDelta& delta) {
    SchedulerDelta answer;
    std::vector<Report> finished;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      draining_ = draining_ || delta.draining();
      for (auto& events : *delta.mutable_events()) events_.push_back(events);
      for (Report& report : *delta.mutable_reports()) {
        if (acknowledge_ && (report.has_finished() || report.has_returned())) {
          *answer.add_acknowledged() = report.ref();
        }
        if (report.has_finished()) {
          ++finished_;
          if (on_finished_) finished.push_back(report);
        }
        if (keep_reports_) reports_.push_back(std::move(report));
      }
      if (delta.has_heartbeat() && acknowledge_heartbeats_) {
        answer.set_heartbeat_acknowledged(delta.heartbeat().sequence());
      }
      if (answer.ByteSizeLong() != 0) {
        SchedulerMessage message;
        message.set_epoch(epoch_);
        *message.mutable_delta() = std::move(answer);
        outbox_.push_back(std::move(message));
      }
      changed_.notify_all();
    }
    for (const Report& report : finished) on_finished_(report);
  }

  void Write(Stream* stream) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return disconnect_ || !outbox_.empty(); });
      if (disconnect_) return;
      SchedulerMessage message = std::move(outbox_.front());
      outbox_.pop_front();
      lock.unlock();
      stream->Write(message);
      lock.lock();
    }
  }

  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  absl::Duration lease_ = absl::Seconds(30);
  absl::Duration heartbeat_interval_ = absl::Seconds(5);
  uint32_t training_ = 2;
  uint32_t inference_ = 4;
  uint64_t epoch_ = 1;
  bool keep_ = true;
  bool acknowledge_ = true;
  bool acknowledge_heartbeats_ = true;
  bool keep_reports_ = true;
  bool stream_open_ = false;
  bool disconnect_ = false;
  bool draining_ = false;
  grpc::ServerContext* context_ = nullptr;
  size_t finished_ = 0;
  std::vector<Hello> hellos_;
  std::vector<Report> reports_;
  std::vector<::switchyard::worker::v1::AttemptEvents> events_;
  std::deque<SchedulerMessage> outbox_;
  std::function<void(const Report&)> on_finished_;
};

}  // namespace switchyard::worker
