#include "tests/bench/echo.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/lifecycle/address_file.h"
#include "common/rpc/status.h"
#include "grpcpp/grpcpp.h"
#include "switchyard/v1/job_service.grpc.pb.h"
#include "tests/bench/payload.h"
#include "tests/e2e/process.h"

namespace switchyard::bench {
namespace {

// The synchronous server: gRPC's own quickest for one call at a time.
class Echo final : public v1::JobService::Service {
  grpc::Status CreateJob(grpc::ServerContext*, const v1::CreateJobRequest* request,
                         v1::Job* job) override {
    *job = request->job();
    return grpc::Status::OK;
  }
};

absl::StatusOr<std::string> WaitForAddress(const std::string& file) {
  for (int i = 0; i < 5000; ++i) {
    const auto addresses = ReadAddressFile(file);
    if (addresses.ok()) return addresses->at("echo");
    absl::SleepFor(absl::Milliseconds(1));
  }
  return absl::DeadlineExceededError("the echo server did not start");
}

}  // namespace

int ServeEcho(const std::string& address_file) {
  Echo echo;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&echo);
  const auto server = builder.BuildAndStart();
  if (!WriteAddressFile(address_file, {{"echo", absl::StrCat("127.0.0.1:", port)}}).ok()) return 1;
  server->Wait();
  return 0;
}

absl::StatusOr<std::vector<double>> MeasureEcho(const std::string& program,
                                                const std::string& directory, uint64_t calls) {
  const std::string file = directory + "/echo.addresses";
  std::filesystem::remove(file);
  const e2e::Process server({program, "--serve-echo", file}, directory + "/echo.log");
  const absl::StatusOr<std::string> address = WaitForAddress(file);
  if (!address.ok()) return address.status();
  const auto stub =
      v1::JobService::NewStub(grpc::CreateChannel(*address, grpc::InsecureChannelCredentials()));
  std::vector<double> times_ms;
  for (uint64_t i = 0; i < calls; ++i) {
    v1::CreateJobRequest request;
    *request.mutable_job()->mutable_noop()->mutable_payload() = MakePayload(i);
    grpc::ClientContext context;
    v1::Job job;
    const absl::Time start = absl::Now();
    const grpc::Status status = stub->CreateJob(&context, request, &job);
    if (!status.ok()) return FromGrpc(status);
    times_ms.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
  }
  return times_ms;
}

}  // namespace switchyard::bench
