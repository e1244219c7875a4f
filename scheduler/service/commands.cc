#include "scheduler/service/commands.h"

#include <memory>
#include <utility>

#include "common/rpc/status.h"
#include "scheduler/service/job_reader.h"

namespace switchyard::scheduler {
namespace {

// A command's memory beside its specs: event, closures, and its place in the drain.
constexpr size_t kCommandBytes = 1024;

// Runs on the engine's thread, so what reads the disk goes to the pool.
void FinishWithJob(const Backend& backend, const std::string& tenant, const CommandResult& result,
                   grpc::ServerUnaryReactor* reactor, v1::Job* response) {
  if (!result.status.ok() || response == nullptr) return reactor->Finish(ToGrpc(result.status));
  const absl::Status taken =
      backend.readers.Run([&backend, tenant, id = result.job, reactor, response] {
        absl::StatusOr<v1::Job> job = ReadJob(backend, tenant, id);
        if (job.ok()) *response = std::move(*job);
        reactor->Finish(ToGrpc(job.status()));
      });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
}

}  // namespace

void PostCommand(const Backend& backend, Input input, size_t bytes,
                 std::function<void(CommandResult)> done) {
  bytes += kCommandBytes;
  if (absl::Status status = backend.admission.Enter(bytes); !status.ok())
    return done({.status = status});
  input.done = [&admission = backend.admission, bytes,
                done = std::move(done)](CommandResult result) {
    admission.Leave(bytes);
    done(std::move(result));
  };
  backend.engine.Submit(std::move(input));
}

grpc::ServerUnaryReactor* RunJobCommand(const Backend& backend,
                                        grpc::CallbackServerContext& context,
                                        const Principal& principal,
                                        absl::StatusOr<RequestIdentity> identity, Event event,
                                        v1::Job* response) {
  if (!identity.ok()) return FinishWith(context, identity.status());
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  Input input;
  input.event = std::move(event);
  input.tenant = principal.tenant;
  input.request = std::move(*identity);
  const std::string tenant = input.tenant;
  PostCommand(backend, std::move(input), 0,
              [&backend, tenant, reactor, response](const CommandResult& result) {
                FinishWithJob(backend, tenant, result, reactor, response);
              });
  return reactor;
}

grpc::ServerUnaryReactor* FinishWith(grpc::CallbackServerContext& context,
                                     const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

grpc::ServerUnaryReactor* FinishWithRead(const Backend& backend,
                                         grpc::CallbackServerContext& context,
                                         std::function<absl::Status()> read) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  const absl::Status taken =
      backend.readers.Run([reactor, read = std::move(read)] { reactor->Finish(ToGrpc(read())); });
  if (!taken.ok()) reactor->Finish(ToGrpc(taken));
  return reactor;
}

}  // namespace switchyard::scheduler
