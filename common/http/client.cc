#include "common/http/client.h"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/net/address.h"

namespace switchyard {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Stream = beast::basic_stream<asio::generic::stream_protocol>;

absl::StatusOr<asio::generic::stream_protocol::endpoint> EndpointOf(const Address& address) {
  if (address.is_unix()) return asio::local::stream_protocol::endpoint(address.unix_path);
  boost::system::error_code error;
  const auto host =
      asio::ip::make_address(address.host == "localhost" ? "127.0.0.1" : address.host, error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat(address.host, " is not a numeric address"));
  }
  return asio::ip::tcp::endpoint(host, address.port);
}

http::request<http::string_body> Compose(const HttpRequest& request) {
  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.target);
  message.version(11);
  message.set(http::field::host, request.address);
  message.set(http::field::connection, "close");
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

HttpReply Digest(http::response<http::string_body> message) {
  HttpReply reply;
  reply.status = message.result_int();
  for (const auto& field : message) {
    const std::string name(field.name_string().data(), field.name_string().size());
    reply.headers[absl::AsciiStrToLower(name)] =
        std::string(field.value().data(), field.value().size());
  }
  reply.body = std::move(message.body());
  return reply;
}

}  // namespace

absl::StatusOr<HttpReply> HttpCall(const HttpRequest& request) {
  const absl::StatusOr<Address> address = ParseAddress(request.address);
  if (!address.ok()) return address.status();
  const auto endpoint = EndpointOf(*address);
  if (!endpoint.ok()) return endpoint.status();

  asio::io_context io;
  Stream stream(io);
  beast::error_code error;
  // The stream's time-out holds for asynchronous operations only: each is one, run to its end.
  const auto run = [&] {
    io.restart();
    io.run();
    return !error;
  };
  const auto done = [&](beast::error_code e, auto...) { error = e; };
  const http::request<http::string_body> message = Compose(request);
  http::response_parser<http::string_body> parser;
  parser.body_limit(request.max_reply_bytes);
  if (request.method == "HEAD") parser.skip(true);
  beast::flat_buffer buffer;
  stream.expires_after(absl::ToChronoNanoseconds(request.timeout));
  stream.async_connect(*endpoint, done);
  if (run()) {
    http::async_write(stream, message, done);
    if (run()) {
      http::async_read(stream, buffer, parser, done);
      run();
    }
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat("no answer from ", request.address, " to ",
                                               request.method, " ", request.target, ": ",
                                               error.message()));
  }
  return Digest(parser.release());
}

}  // namespace switchyard
