#include "common/leader/leader_finder.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "switchyard/worker/v1/leader_service.grpc.pb.h"

namespace switchyard {
namespace {

using ::switchyard::worker::v1::LeaderNews;
using ::switchyard::worker::v1::LeaderService;
using ::switchyard::worker::v1::WatchLeaderRequest;

// Says what the test tells it to say.
class FakeScheduler final : public LeaderService::Service {
 public:
  FakeScheduler() { Start("127.0.0.1:0"); }
  ~FakeScheduler() override { Stop(); }

  void Start(const std::string& address) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }
  const std::string& address() const { return address_; }

  void Say(uint64_t term, bool leading) {
    const std::lock_guard lock(mutex_);
    news_.set_term(term);
    news_.set_leading(leading);
    ++version_;
    changed_.notify_all();
  }

  grpc::Status WatchLeader(grpc::ServerContext* context, const WatchLeaderRequest*,
                           grpc::ServerWriter<LeaderNews>* writer) override {
    std::unique_lock lock(mutex_);
    for (int told = -1; !context->IsCancelled();) {
      if (told != version_) {
        told = version_;
        writer->Write(news_);
      }
      changed_.wait_for(lock, std::chrono::milliseconds(10));
    }
    return grpc::Status::OK;
  }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  LeaderNews news_;
  int version_ = 0;
};

class LeaderFinderTest : public testing::Test {
 protected:
  void Find() {
    finder_ = std::make_unique<LeaderFinder>(
        std::vector<std::string>{one_.address(), other_.address()},
        [](const std::string& address) {
          grpc::ChannelArguments arguments;
          arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
          arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
          arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
          arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 20);
          return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
        },
        [this] {
          const std::lock_guard lock(mutex_);
          ++changes_;
          changed_.notify_all();
        });
  }
  void WaitForChanges(int changes) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30),
                                  [&] { return changes_ >= changes; }));
  }

  FakeScheduler one_;
  FakeScheduler other_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int changes_ = 0;
  std::unique_ptr<LeaderFinder> finder_;
};

TEST_F(LeaderFinderTest, FindsTheOneThatLeadsAndTheNextOne) {
  one_.Say(1, false);
  other_.Say(1, true);
  Find();
  WaitForChanges(1);
  EXPECT_EQ(finder_->leader().address, other_.address());
  one_.Say(2, true);
  WaitForChanges(2);
  EXPECT_EQ(finder_->leader().address, one_.address());
}

TEST_F(LeaderFinderTest, ALeaderOfAnOlderTermIsNotBelieved) {
  one_.Say(2, false);
  other_.Say(1, true);  // Was frozen, and has not heard yet.
  Find();
  other_.Say(3, true);
  WaitForChanges(1);
  one_.Say(4, true);
  WaitForChanges(2);
  other_.Say(3, true);
  one_.Say(4, true);
  EXPECT_EQ(finder_->leader().address, one_.address());
}

TEST_F(LeaderFinderTest, ASchedulerThatComesBackIsHeardAgain) {
  one_.Say(1, true);
  other_.Say(1, false);
  Find();
  other_.Stop();
  other_.Say(2, true);
  other_.Start(other_.address());
  WaitForChanges(1);
  EXPECT_EQ(finder_->leader().address, other_.address());
}

TEST(LeaderFinder, OneAddressIsTheLeaderUnasked) {
  int dials = 0;
  const LeaderFinder finder(
      {"127.0.0.1:1"},
      [&dials](const std::string& address) {
        ++dials;
        return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
      },
      nullptr);
  EXPECT_EQ(finder.leader().address, "127.0.0.1:1");
  EXPECT_EQ(dials, 1);
}

}  // namespace
}  // namespace switchyard
