// common/http's client in the form tests like: no answer at all is status 0 with the reason as
// body.
#pragma once

#include <map>
#include <string>

#include "common/http/client.h"

namespace switchyard::e2e {

inline HttpReply Http(const std::string& address, const std::string& method,
                      const std::string& target, const std::string& body = "",
                      const std::map<std::string, std::string>& headers = {}) {
  const absl::StatusOr<HttpReply> reply = HttpCall(
      {.address = address, .method = method, .target = target, .body = body, .headers = headers});
  if (reply.ok()) return *reply;
  HttpReply none;
  none.body = std::string(reply.status().message());
  return none;
}

}  // namespace switchyard::e2e
