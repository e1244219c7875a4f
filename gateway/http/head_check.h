// What makes a request's head unacceptable, whatever it asks for: shapes that two servers in a row
// may read differently (request smuggling), and what HTTP/1.1 forbids. The parser refuses what is
// not HTTP at all; this is the rest. Pure.
#pragma once

#include <optional>
#include <string>

#include "gateway/http/message.h"

namespace switchyard::gateway::http {

struct Refusal {
  int status = 400;
  std::string detail;
};

std::optional<Refusal> CheckHead(const RequestHead& head);

}  // namespace switchyard::gateway::http
