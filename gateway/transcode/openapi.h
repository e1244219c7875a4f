// The API's description for programs, OpenAPI 3.1, from the same descriptors that the gateway
// routes by: comments of the protos are its texts. Pure.
#pragma once

#include <string>

#include "gateway/transcode/api.h"

namespace switchyard::gateway {

// `api` should be built from descriptors that carry source info (comments). Pretty-printed JSON,
// the same for the same input.
std::string OpenApiJson(const Api& api, const std::string& version);

}  // namespace switchyard::gateway
