// The way of a command on one job: to the engine, and back to its caller as the job it is then.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/request_identity.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

// Posts `input` and calls `done` with its result, on the engine's thread. When it is refused before
// it got there, `done` is called here. `bytes` is about what it takes in memory while it waits.
void PostCommand(const Backend& backend, Input input, size_t bytes,
                 std::function<void(CommandResult)> done);

// Makes a command of one job from a request with `request_id`, and finishes the call with the whole
// job after it, or with its error. `response` null: the call answers nothing but OK.
template <typename Request>
grpc::ServerUnaryReactor* RunJobCommand(const Backend& backend,
                                        grpc::CallbackServerContext& context,
                                        const Principal& principal, absl::string_view method,
                                        const Request& request, Event event, v1::Job* response);

// The part of it that is the same for every request.
grpc::ServerUnaryReactor* RunJobCommand(const Backend& backend,
                                        grpc::CallbackServerContext& context,
                                        const Principal& principal,
                                        absl::StatusOr<RequestIdentity> identity, Event event,
                                        v1::Job* response);

template <typename Request>
grpc::ServerUnaryReactor* RunJobCommand(const Backend& backend,
                                        grpc::CallbackServerContext& context,
                                        const Principal& principal, absl::string_view method,
                                        const Request& request, Event event, v1::Job* response) {
  return RunJobCommand(backend, context, principal, IdentityOf(context, method, request),
                       std::move(event), response);
}

// Ends a call with `status`.
grpc::ServerUnaryReactor* FinishWith(grpc::CallbackServerContext& context,
                                     const absl::Status& status);

// Ends a call with what `read` gives, which runs on the reader pool and fills the response.
grpc::ServerUnaryReactor* FinishWithRead(const Backend& backend,
                                         grpc::CallbackServerContext& context,
                                         std::function<absl::Status()> read);

}  // namespace switchyard::scheduler
