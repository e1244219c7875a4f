#include "tests/bench/durable.h"

#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "grpcpp/grpcpp.h"
#include "switchyard/v1/job_service.grpc.pb.h"
#include "tests/bench/payload.h"
#include "tests/bench/results.h"

namespace switchyard::bench {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(5);

std::shared_ptr<grpc::Channel> Connect(const std::string& server, int number) {
  grpc::ChannelArguments arguments;
  arguments.SetInt("switchyard.bench.connection", number);  // Distinct: no shared connection.
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

// Distinct for every measurement of every run on one data folder: a repeated id would rightly get
// the first job's answer.
std::string NewRunName() {
  static int runs = 0;
  return absl::StrCat("bench-", getpid(), "-", absl::ToUnixNanos(absl::Now()), "-", runs++, "-");
}

using OnAccepted = std::function<void(uint64_t number, const std::string& id)>;

// Takes numbers of batches until there are no more.
absl::Status SubmitSome(v1::JobService::Stub& stub, const BatchOptions& options,
                        const std::string& run, std::atomic<uint64_t>& next,
                        const OnAccepted& accepted) {
  for (;;) {
    const uint64_t first = next.fetch_add(options.jobs_per_call);
    if (first >= options.jobs) return absl::OkStatus();
    const uint64_t last = std::min<uint64_t>(first + options.jobs_per_call, options.jobs);
    v1::BatchCreateJobsRequest request;
    request.set_request_id(absl::StrCat(run, first));
    for (uint64_t i = first; i < last; ++i) {
      *request.add_jobs()->mutable_noop()->mutable_payload() = MakePayload(i);
    }
    grpc::ClientContext context;
    v1::BatchCreateJobsResponse response;
    const grpc::Status status = stub.BatchCreateJobs(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    if (static_cast<uint64_t>(response.ids_size()) != last - first) {
      return absl::InternalError("a batch was answered with another number of ids");
    }
    for (uint64_t i = first; i < last; ++i) accepted(i, response.ids(static_cast<int>(i - first)));
  }
}

absl::Status SubmitAll(const std::string& server, const BatchOptions& options,
                       const OnAccepted& accepted) {
  const std::string run = NewRunName();
  std::atomic<uint64_t> next{0};
  std::vector<absl::Status> statuses(options.calls_at_once);
  std::vector<std::thread> threads;
  const auto channel = Connect(server, 0);
  for (absl::Status& status : statuses) {
    threads.emplace_back([&] {
      const auto stub = v1::JobService::NewStub(channel);
      status = SubmitSome(*stub, options, run, next, accepted);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// One caller: submits, and on the answer the next.
struct Caller {
  v1::JobService::Stub* stub = nullptr;
  uint64_t number = 0;
  std::unique_ptr<grpc::ClientContext> context;
  v1::CreateJobRequest request;
  v1::Job answer;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::Job>> call;

  void Submit(const std::string& run, uint64_t job, grpc::CompletionQueue* queue) {
    number = job;
    context = std::make_unique<grpc::ClientContext>();
    request.set_request_id(absl::StrCat(run, job));
    *request.mutable_job()->mutable_noop()->mutable_payload() = MakePayload(job);
    call = stub->AsyncCreateJob(context.get(), request, queue);
    call->Finish(&answer, &status, this);
  }
};

absl::Status SubmitSingles(const std::string& server, const SingleOptions& options,
                           Results& results) {
  const std::string run = NewRunName();
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<v1::JobService::Stub>> stubs;
  for (uint32_t i = 0; i < options.channels; ++i) {
    stubs.push_back(v1::JobService::NewStub(Connect(server, static_cast<int>(i) + 10)));
  }
  std::vector<Caller> callers(options.callers);
  uint64_t next = 0, done = 0;
  for (Caller& caller : callers) {
    caller.stub = stubs[next % stubs.size()].get();
    caller.Submit(run, next++, &queue);
  }
  absl::Status failed;
  void* tag;
  bool ok;
  for (uint64_t outstanding = callers.size(); outstanding > 0 && queue.Next(&tag, &ok);) {
    Caller& caller = *static_cast<Caller*>(tag);
    if (!caller.status.ok() && failed.ok()) failed = FromGrpc(caller.status);
    results.Accepted(caller.number, caller.answer.id());
    ++done;
    if (next < options.jobs && failed.ok()) {
      caller.Submit(run, next++, &queue);
    } else {
      --outstanding;
    }
  }
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return failed;
}

absl::StatusOr<double> Rate(Results& results, uint64_t jobs, absl::Time start) {
  if (absl::Status status = results.WaitForAll(kPatience); !status.ok()) return status;
  return static_cast<double>(jobs) / absl::ToDoubleSeconds(results.last_read() - start);
}

}  // namespace

absl::StatusOr<double> MeasureBatches(const std::string& server, const BatchOptions& options) {
  auto results = Results::Open(Connect(server, 1), options.jobs);
  if (!results.ok()) return results.status();
  const absl::Time start = absl::Now();
  const absl::Status status =
      SubmitAll(server, options,
                [&](uint64_t number, const std::string& id) { (*results)->Accepted(number, id); });
  if (!status.ok()) return status;
  return Rate(**results, options.jobs, start);
}

absl::StatusOr<double> MeasureSingles(const std::string& server, const SingleOptions& options) {
  auto results = Results::Open(Connect(server, 1), options.jobs);
  if (!results.ok()) return results.status();
  const absl::Time start = absl::Now();
  if (absl::Status status = SubmitSingles(server, options, **results); !status.ok()) return status;
  return Rate(**results, options.jobs, start);
}

absl::StatusOr<std::vector<double>> MeasureRoundTrips(const std::string& server, uint64_t jobs) {
  auto results = Results::Open(Connect(server, 1), jobs);
  if (!results.ok()) return results.status();
  const auto stub = v1::JobService::NewStub(Connect(server, 0));
  const std::string run = NewRunName();
  std::vector<double> times_ms;
  for (uint64_t i = 0; i < jobs; ++i) {
    v1::CreateJobRequest request;
    request.set_request_id(absl::StrCat(run, i));
    *request.mutable_job()->mutable_noop()->mutable_payload() = MakePayload(i);
    grpc::ClientContext context;
    v1::Job job;
    const absl::Time start = absl::Now();
    const grpc::Status status = stub->CreateJob(&context, request, &job);
    if (!status.ok()) return FromGrpc(status);
    if (absl::Status waited = (*results)->WaitFor(i, absl::Seconds(30)); !waited.ok())
      return waited;
    times_ms.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
    (*results)->Accepted(i, job.id());
  }
  if (absl::Status status = (*results)->WaitForAll(kPatience); !status.ok()) return status;
  return times_ms;
}

absl::Status SubmitBatches(const std::string& server, const BatchOptions& options) {
  return SubmitAll(server, options, [](uint64_t, const std::string&) {});
}

}  // namespace switchyard::bench
