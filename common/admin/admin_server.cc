#include "common/admin/admin_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/metrics/metrics_page.h"
#include "common/net/address.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

// An idle or stuck connection is closed after this.
constexpr std::chrono::seconds kConnectionTimeout{30};

Response Answer(const Request& request, http::status status, const char* media_type,
                std::string body) {
  Response response(status, request.version());
  response.set(http::field::content_type, media_type);
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(body);
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();  // Content-Length stays.
  return response;
}

std::string NotReadyBody(const absl::Status& status) {
  return absl::StrCat(
      "{\"ready\":false,\"code\":", JsonQuote(absl::StatusCodeToString(status.code())),
      ",\"reason\":", JsonQuote(status.message()), "}\n");
}

// A page of another site may make a browser send requests here; its Host gives it away (DNS
// rebinding).
bool HostIsLoopback(const Request& request) {
  const auto header = request[http::field::host];
  const std::string host(header.data(), header.size());
  const bool has_port = absl::StrContains(host, ":") && !absl::EndsWith(host, "]");
  const absl::StatusOr<Address> address = ParseAddress(has_port ? host : absl::StrCat(host, ":80"));
  return address.ok() && !address->is_unix() && IsLoopback(*address);
}

Response Route(const Request& request, const AdminOptions& options) {
  const std::string target(request.target().data(), request.target().size());
  const std::string path = target.substr(0, target.find('?'));
  if (request.version() >= 11 && !HostIsLoopback(request)) {
    return Answer(request, http::status::forbidden, "text/plain",
                  "Host must be a loopback address\n");
  }
  if (path != "/metrics" && path != "/healthz" && path != "/readyz") {
    return Answer(request, http::status::not_found, "text/plain",
                  "there are /metrics, /healthz and /readyz\n");
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response refused =
        Answer(request, http::status::method_not_allowed, "text/plain", "GET or HEAD\n");
    refused.set(http::field::allow, "GET, HEAD");
    return refused;
  }
  if (path == "/metrics") {
    return Answer(request, http::status::ok, kMetricsMediaType, MetricsPage(options.metrics));
  }
  if (path == "/healthz") {
    return Answer(request, http::status::ok, "application/json", "{\"alive\":true}\n");
  }
  const absl::Status ready = options.ready ? options.ready() : absl::OkStatus();
  if (ready.ok())
    return Answer(request, http::status::ok, "application/json", "{\"ready\":true}\n");
  return Answer(request, http::status::service_unavailable, "application/json",
                NotReadyBody(ready));
}

asio::awaitable<void> Serve(Tcp::socket socket, const AdminOptions& options) {
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(16 * 1024);
  try {
    for (bool keep = true; keep;) {
      stream.expires_after(kConnectionTimeout);
      Request request;
      co_await http::async_read(stream, buffer, request, asio::use_awaitable);
      Response response = Route(request, options);
      keep = response.keep_alive();
      co_await http::async_write(stream, response, asio::use_awaitable);
    }
  } catch (const beast::system_error&) {
    // The peer left, stalled or spoke something else: its connection ends, nothing else does.
  }
}

class BeastAdminServer final : public AdminServer {
 public:
  explicit BeastAdminServer(AdminOptions options)
      : options_(std::move(options)), acceptor_(context_) {}

  ~BeastAdminServer() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen() {
    if (absl::Status status = RequireLoopback("admin_listen", options_.listen); !status.ok())
      return status;
    const Address address = *ParseAddress(options_.listen);
    if (address.is_unix()) return absl::InvalidArgumentError("admin_listen: HOST:PORT is expected");
    boost::system::error_code error;
    const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
    const Tcp::endpoint endpoint(asio::ip::make_address(host, error), address.port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) {
      const Tcp::endpoint bound = acceptor_.local_endpoint();
      address_ = Address{"", bound.address().to_string(), bound.port()}.ToString();
      return absl::OkStatus();
    }
    return MakeError(absl::StatusCode::kFailedPrecondition, "ADDRESS_IN_USE",
                     absl::StrCat("cannot listen on ", options_.listen, ": ", error.message(),
                                  "; end what uses it or set admin_listen to another port"),
                     {{"address", options_.listen}});
  }

  void Run() {
    asio::co_spawn(context_, Accept(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }

  std::string address() const override { return address_; }

 private:
  asio::awaitable<void> Accept() {
    for (;;) {
      boost::system::error_code error;
      Tcp::socket socket =
          co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (!error) {
        asio::co_spawn(context_, Serve(std::move(socket), options_), asio::detached);
        continue;
      }
      // Out of descriptors, most likely: others must close first.
      LogWarning("admin listener cannot accept", {{"error", error.message()}});
      asio::steady_timer pause(context_, std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

  const AdminOptions options_;
  asio::io_context context_{1};
  Tcp::acceptor acceptor_;
  std::string address_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(AdminOptions options) {
  auto server = std::make_unique<BeastAdminServer>(std::move(options));
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  server->Run();
  return server;
}

}  // namespace switchyard
