#include "common/admin/admin_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "common/metrics/metrics_page.h"
#include "common/net/address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard {
namespace {

namespace http = boost::beast::http;
using ::testing::HasSubstr;
using Tcp = boost::asio::ip::tcp;

struct Reply {
  unsigned status;
  std::string media_type;
  std::string body;
};

Reply Ask(const AdminServer& server, http::verb method, const std::string& target,
          const std::string& host = "127.0.0.1") {
  boost::asio::io_context context;
  Tcp::socket socket(context);
  socket.connect(
      {boost::asio::ip::make_address("127.0.0.1"), ParseAddress(server.address())->port});
  http::request<http::empty_body> request(method, target, 11);
  request.set(http::field::host, host);
  http::write(socket, request);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.skip(method == http::verb::head);
  http::read(socket, buffer, parser);
  const auto& response = parser.get();
  return {response.result_int(), std::string(response[http::field::content_type]), response.body()};
}

std::unique_ptr<AdminServer> Start(std::function<absl::Status()> ready = nullptr) {
  return AdminServer::Start({"127.0.0.1:0", {MakeProcessMetrics("test", "1")}, std::move(ready)})
      .value();
}

TEST(AdminServer, ServesMetricsInPrometheusText) {
  const auto server = Start();
  const Reply reply = Ask(*server, http::verb::get, "/metrics");
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.media_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(reply.body, HasSubstr("switchyard_build_info"));
}

TEST(AdminServer, IsAliveWhileNotReady) {
  const auto server = Start([] { return absl::UnavailableError("the store is being read"); });
  EXPECT_EQ(Ask(*server, http::verb::get, "/healthz").status, 200u);
  const Reply reply = Ask(*server, http::verb::get, "/readyz");
  EXPECT_EQ(reply.status, 503u);
  EXPECT_THAT(reply.body, HasSubstr("\"reason\":\"the store is being read\""));
}

TEST(AdminServer, IsReadyWhenTheDaemonIs) {
  const auto server = Start([] { return absl::OkStatus(); });
  EXPECT_EQ(Ask(*server, http::verb::get, "/readyz").status, 200u);
}

TEST(AdminServer, RefusesOtherPathsAndMethods) {
  const auto server = Start();
  EXPECT_EQ(Ask(*server, http::verb::get, "/").status, 404u);
  EXPECT_EQ(Ask(*server, http::verb::delete_, "/metrics").status, 405u);
  EXPECT_EQ(Ask(*server, http::verb::head, "/healthz").status, 200u);
}

TEST(AdminServer, RefusesAHostThatIsNotLoopback) {
  const auto server = Start();
  EXPECT_EQ(Ask(*server, http::verb::get, "/metrics", "evil.example").status, 403u);
  EXPECT_EQ(Ask(*server, http::verb::get, "/metrics", "localhost:9").status, 200u);
  EXPECT_EQ(Ask(*server, http::verb::get, "/metrics", "[::1]:9").status, 200u);
}

TEST(AdminServer, BindsLoopbackOnly) {
  EXPECT_EQ(AdminServer::Start({"0.0.0.0:0", {}, nullptr}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(AdminServer, SaysThatThePortIsTaken) {
  const auto server = Start();
  const auto second = AdminServer::Start({server->address(), {}, nullptr});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(server->address()));
}

}  // namespace
}  // namespace switchyard
