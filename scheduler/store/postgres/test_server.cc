#include "scheduler/store/postgres/test_server.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

PostgresServer* server = nullptr;

class ServerEnvironment final : public testing::Environment {
 public:
  void SetUp() override {
    auto started = PostgresServer::Start();
    if (absl::IsNotFound(started.status())) {
      GTEST_SKIP() << started.status().message();
    }
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    server = server_.get();
  }
  void TearDown() override {
    server = nullptr;
    server_.reset();
  }

 private:
  std::unique_ptr<PostgresServer> server_;
};

[[maybe_unused]] const auto* const environment =
    testing::AddGlobalTestEnvironment(new ServerEnvironment);

}  // namespace

PostgresServer* const& TestServer() { return server; }

PostgresStoreOptions NewTestSchema() {
  static int number = 0;
  return {.uri = server->uri(), .schema = absl::StrCat("test_", ++number)};
}

}  // namespace switchyard::scheduler
