#include "tests/e2e/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "absl/strings/ascii.h"

namespace switchyard::e2e {

namespace beast = boost::beast;
namespace http = beast::http;

HttpReply Http(const std::string& address, const std::string& method, const std::string& target,
               const std::string& body, const std::map<std::string, std::string>& headers) {
  HttpReply reply;
  boost::asio::io_context io;
  beast::tcp_stream stream(io);
  const size_t colon = address.rfind(':');
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, address);
  request.set(http::field::connection, "close");
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = body;
  request.prepare_payload();

  http::response_parser<http::string_body> parser;
  parser.body_limit(1ull << 30);
  beast::flat_buffer buffer;
  beast::error_code error;
  stream.expires_after(std::chrono::seconds(60));
  boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::make_address(address.substr(0, colon)),
                                          static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  // The stream's time-out holds for asynchronous operations only; each is one, run to its end.
  stream.async_connect(endpoint, [&](beast::error_code e) { error = e; });
  io.run();
  if (!error) {
    io.restart();
    http::async_write(stream, request, [&](beast::error_code e, size_t) { error = e; });
    io.run();
  }
  if (!error) {
    io.restart();
    http::async_read(stream, buffer, parser, [&](beast::error_code e, size_t) { error = e; });
    io.run();
  }
  if (error) {
    reply.body = error.message();
    return reply;
  }
  reply.status = parser.get().result_int();
  for (const auto& field : parser.get()) {
    const std::string name(field.name_string().data(), field.name_string().size());
    reply.headers[absl::AsciiStrToLower(name)] =
        std::string(field.value().data(), field.value().size());
  }
  reply.body = parser.get().body();
  return reply;
}

}  // namespace switchyard::e2e
