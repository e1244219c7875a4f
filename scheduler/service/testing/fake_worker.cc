#include "scheduler/service/testing/fake_worker.h"

#include <algorithm>
#include <chrono>

#include "google/protobuf/util/message_differencer.h"

namespace switchyard::scheduler {
namespace {

constexpr std::chrono::seconds kPatience(10);

bool Same(const worker::v1::AttemptRef& a, const worker::v1::AttemptRef& b) {
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

bool Contains(const std::vector<worker::v1::AttemptRef>& refs, const worker::v1::AttemptRef& ref) {
  return std::any_of(refs.begin(), refs.end(), [&](const auto& other) { return Same(other, ref); });
}

worker::v1::AttemptReport FinishedReport(const worker::v1::AttemptRef& ref,
                                         v1::Attempt::Outcome outcome, const std::string& payload) {
  worker::v1::AttemptReport report;
  *report.mutable_ref() = ref;
  worker::v1::Finished& finished = *report.mutable_finished();
  finished.set_outcome(outcome);
  finished.set_device("cpu");
  finished.mutable_start_time()->set_seconds(1'700'000'000);
  finished.mutable_end_time()->set_seconds(1'700'000'000);
  if (outcome == v1::Attempt::SUCCEEDED) {
    v1::Job result;
    result.mutable_noop_result()->set_payload(payload);
    finished.set_result(result.SerializeAsString());
  } else if (outcome == v1::Attempt::FAILED) {
    finished.mutable_error()->set_code(3);
    finished.mutable_error()->set_message(payload);
    finished.set_permanent(true);
  }
  return report;
}

}  // namespace

FakeWorker::FakeWorker(const std::string& address, FakeWorkerOptions options)
    : options_(std::move(options)) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  stub_ = worker::v1::WorkerService::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  stream_ = stub_->Attach(&context_);
  worker::v1::WorkerMessage message;
  worker::v1::Hello& hello = *message.mutable_hello();
  hello.set_worker(options_.id);
  hello.set_incarnation(options_.incarnation);
  hello.set_host("test");
  v1::Device& device = *hello.add_devices();
  device.set_device("cpu");
  device.set_cores(2);
  device.set_memory_total_bytes(int64_t{1} << 30);
  for (const char* kind : {"noop", "train", "predict"}) hello.add_kinds(kind);
  for (const worker::v1::AttemptReport& report : options_.attempts) *hello.add_attempts() = report;
  stream_->Write(message);
  reader_ = std::thread([this] { Read(); });
  if (options_.heartbeats) heart_ = std::thread([this] { Heartbeat(); });
  MutexLock lock(mutex_);
  WaitUntil([this] { return welcomed_ || ended_; });
}

FakeWorker::~FakeWorker() {
  context_.TryCancel();
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.SignalAll();
  reader_.join();
  if (heart_.joinable()) heart_.join();
}

bool FakeWorker::WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    changed_.WaitFor(mutex_, std::chrono::milliseconds(100));
  }
  return true;
}

void FakeWorker::Read() {
  worker::v1::SchedulerMessage message;
  while (stream_->Read(&message)) Take(message);
  const grpc::Status status = stream_->Finish();
  MutexLock lock(mutex_);
  ended_ = true;
  status_ = status;
  changed_.SignalAll();
}

void FakeWorker::Take(worker::v1::SchedulerMessage& message) {
  worker::v1::WorkerDelta reply;
  {
    MutexLock lock(mutex_);
    if (message.has_welcome()) {
      welcome_ = message.welcome();
      welcomed_ = true;
    }
    for (const auto& ref : message.delta().acknowledged()) acknowledged_.push_back(ref);
    for (const auto& ref : message.delta().recalls()) cancels_.push_back(ref);
    for (const auto& cancel : message.delta().cancels()) cancels_.push_back(cancel.ref());
    for (worker::v1::Assignment& assignment : *message.mutable_delta()->mutable_assignments()) {
      if (!options_.finish_at_once) {
        assignments_.push_back(std::move(assignment));
        continue;
      }
      v1::Job job;
      job.ParseFromString(assignment.job());
      *reply.add_reports() =
          FinishedReport(assignment.ref(), v1::Attempt::SUCCEEDED, job.noop().payload());
      ++finished_;
    }
  }
  changed_.SignalAll();
  if (reply.reports_size() > 0) Send(reply);
}

void FakeWorker::Heartbeat() {
  for (uint64_t sequence = 1;; ++sequence) {
    {
      MutexLock lock(mutex_);
      if (!stop_) changed_.WaitFor(mutex_, std::chrono::milliseconds(100));
      if (stop_ || ended_) return;
    }
    worker::v1::WorkerDelta delta;
    delta.mutable_heartbeat()->set_sequence(sequence);
    Send(delta);
  }
}

void FakeWorker::Send(const worker::v1::WorkerDelta& delta) {
  worker::v1::WorkerMessage message;
  *message.mutable_delta() = delta;
  MutexLock lock(write_mutex_);
  stream_->Write(message);
}

std::unique_ptr<worker::v1::Assignment> FakeWorker::TakeAssignment() {
  MutexLock lock(mutex_);
  if (!WaitUntil([this] { return !assignments_.empty(); })) return nullptr;
  auto assignment = std::make_unique<worker::v1::Assignment>(std::move(assignments_.front()));
  assignments_.pop_front();
  return assignment;
}

bool FakeWorker::WaitForCancel(const worker::v1::AttemptRef& ref) {
  MutexLock lock(mutex_);
  return WaitUntil([&] { return Contains(cancels_, ref); });
}

bool FakeWorker::WaitForAcknowledgement(const worker::v1::AttemptRef& ref) {
  MutexLock lock(mutex_);
  return WaitUntil([&] { return Contains(acknowledged_, ref); });
}

grpc::Status FakeWorker::WaitForEnd() {
  MutexLock lock(mutex_);
  WaitUntil([this] { return ended_; });
  return ended_ ? status_
                : grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "the stream did not end");
}

void FakeWorker::Start(const worker::v1::AttemptRef& ref) {
  worker::v1::WorkerDelta delta;
  worker::v1::AttemptReport& report = *delta.add_reports();
  *report.mutable_ref() = ref;
  report.mutable_started()->set_device("cpu");
  report.mutable_started()->set_phase(v1::Job::WORKING);
  Send(delta);
}

void FakeWorker::Finish(const worker::v1::AttemptRef& ref, v1::Attempt::Outcome outcome,
                        const std::string& payload) {
  worker::v1::WorkerDelta delta;
  *delta.add_reports() = FinishedReport(ref, outcome, payload);
  Send(delta);
}

void FakeWorker::SendProgress(const worker::v1::AttemptRef& ref, uint64_t sequence,
                              double fraction) {
  worker::v1::WorkerDelta delta;
  worker::v1::AttemptEvents& events = *delta.add_events();
  *events.mutable_ref() = ref;
  events.set_first_sequence(sequence);
  events.add_events()->mutable_progress()->set_fraction(fraction);
  Send(delta);
}

worker::v1::Welcome FakeWorker::welcome() const {
  MutexLock lock(mutex_);
  return welcome_;
}

size_t FakeWorker::finished() const {
  MutexLock lock(mutex_);
  return finished_;
}

}  // namespace switchyard::scheduler
