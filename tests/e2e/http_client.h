// The smallest HTTP client the end-to-end tests need, over Beast: one request, one connection.
#pragma once

#include <map>
#include <string>

namespace switchyard::e2e {

struct HttpReply {
  int status = 0;  // 0: no answer; `body` then says why.
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
};

// `address` is HOST:PORT. Gives up after 60 s.
HttpReply Http(const std::string& address, const std::string& method, const std::string& target,
               const std::string& body = "", const std::map<std::string, std::string>& headers = {});

}  // namespace switchyard::e2e
