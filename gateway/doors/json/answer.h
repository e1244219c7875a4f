// Statuses and messages as HTTP answers. Thread-safe: pure functions.
#pragma once

#include "absl/status/status.h"
#include "gateway/http/message.h"
#include "gateway/transcode/api.h"

namespace switchyard::gateway {

// problem+json, with Retry-After where the status says when to come back. `http_status` 0: by the
// code.
http::Response ProblemAnswer(const absl::Status& status, const http::RequestHead& head,
                             int http_status = 0);

// The status of BODY_TOO_LARGE and the like that HTTP has an own number for; 0: by the code.
int OwnHttpStatus(const absl::Status& status);

http::Response JsonAnswer(const Binding& binding, const google::protobuf::Message& response);

}  // namespace switchyard::gateway
