// Three schedulers on one PostgreSQL: what it costs when the leading one is killed, frozen, cut off
// from the database or stopped, and when the database goes away. Real processes, a real database,
// callers that submit all the time through one gateway.
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "scheduler/store/postgres/testing/postgres_server.h"
#include "tests/e2e/fleet.h"
#include "tests/e2e/http_client.h"
#include "tests/e2e/relay.h"

namespace switchyard::e2e {
namespace {

constexpr int kSchedulers = 3;
// What is promised for a scheduler that is gone, and what a machine may be late that does much
// else: held calls are given up after 10 s.
constexpr absl::Duration kReplaced = absl::Seconds(5);

// Callers that submit one job after the other, by gRPC and by JSON, until told to stop.
class Callers {
 public:
  explicit Callers(Fleet& fleet) : fleet_(fleet) {
    threads_.emplace_back([this] { CallByGrpc(); });
    threads_.emplace_back([this] { CallByJson(); });
  }
  ~Callers() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::vector<std::string> failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
  }
  std::set<std::string> accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }
  size_t count() const { return accepted().size(); }
  // The longest that any of them waited for an answer.
  absl::Duration longest() const {
    const std::lock_guard lock(mutex_);
    return longest_;
  }

 private:
  void CallByGrpc() {
    while (!stop_) {
      grpc::ClientContext context;
      v1::CreateJobRequest request;
      *request.mutable_job() = Noop("x");
      v1::Job job;
      const absl::Time begin = absl::Now();
      const grpc::Status status = fleet_.jobs().CreateJob(&context, request, &job);
      Note(begin, status.ok() ? job.id() : "", status.error_message());
    }
  }
  void CallByJson() {
    while (!stop_) {
      const absl::Time begin = absl::Now();
      const HttpReply reply =
          Http(fleet_.http(), "POST", "/api/v1/jobs", R"({"noop": {"payload": "eA=="}})",
               {{"content-type", "application/json"}});
      const size_t id = reply.body.find("\"id\":\"");
      const bool fine = reply.status / 100 == 2 && id != std::string::npos;
      Note(begin, fine ? reply.body.substr(id + 6, reply.body.find('"', id + 6) - id - 6) : "",
           absl::StrCat(reply.status, " ", reply.body.substr(0, 300)));
    }
  }
  void Note(absl::Time begin, const std::string& id, const std::string& failure) {
    {
      const std::lock_guard lock(mutex_);
      longest_ = std::max(longest_, absl::Now() - begin);
      if (id.empty()) {
        failures_.push_back(failure);
      } else {
        accepted_.insert(id);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  Fleet& fleet_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> failures_;
  std::set<std::string> accepted_;
  absl::Duration longest_;
  std::vector<std::thread> threads_;
};

class StandbyTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = scheduler::PostgresServer::Start();
    if (absl::IsNotFound(started.status())) GTEST_SKIP() << started.status().message();
    ASSERT_TRUE(started.ok()) << started.status();
    database_ = *std::move(started);
    FleetOptions options;
    options.schedulers = kSchedulers;
    options.config_of = [this](int number) { return DatabaseOf(number); };
    fleet_.emplace(options);
    for (int number = 1; number <= kSchedulers; ++number) AddRelay(number);
    fleet_->Start();
    ASSERT_TRUE(fleet_->WaitUntil([&] { return Standbys() == kSchedulers - 1; }));
  }
  void TearDown() override {
    fleet_.reset();
    relays_.clear();
    database_.reset();
  }

  // Each scheduler reaches the database through a socket of its own.
  std::string RelayFolder(int number) const {
    return absl::StrCat(fleet_->directory(), "/database", number);
  }
  void AddRelay(int number) {
    const std::string folder = RelayFolder(number);
    std::filesystem::create_directories(folder);
    relays_[number] =
        std::make_unique<Relay>(folder + "/.s.PGSQL.5432", database_->folder() + "/.s.PGSQL.5432");
  }
  std::string DatabaseOf(int number) const {
    return absl::StrCat("postgres { uri: 'host=", RelayFolder(number),
                        " user=switchyard dbname=postgres' }\n");
  }

  std::optional<v1::ListSchedulersResponse> Schedulers() {
    grpc::ClientContext context;
    v1::ListSchedulersResponse response;
    if (!fleet_->fleet().ListSchedulers(&context, {}, &response).ok()) return std::nullopt;
    return response;
  }
  // Number of the scheduler that leads; 0: none answered.
  int Leader() {
    const auto schedulers = Schedulers();
    if (!schedulers.has_value() || schedulers->schedulers_size() == 0) return 0;
    EXPECT_EQ(schedulers->schedulers(0).role(), v1::Scheduler::LEADER);
    return schedulers->schedulers(0).name()[1] - '0';
  }
  int Standbys() {
    const auto schedulers = Schedulers();
    return schedulers.has_value() ? schedulers->schedulers_size() - 1 : -1;
  }
  // Does `harm` to the leader while callers submit and a job runs, and waits until another one
  // leads. Every call is answered, every accepted job ends once, the attempt is kept.
  int LeaderChangesWhile(const std::function<void(int leader)>& harm) {
    const std::string running = fleet_->Submit(Noop("long", absl::Seconds(12))).id();
    EXPECT_TRUE(fleet_->WaitForState(running, v1::Job::RUNNING));
    const int before = Leader();
    Callers callers(*fleet_);
    EXPECT_TRUE(fleet_->WaitUntil([&] { return callers.count() >= 20; }));
    const absl::Time begin = absl::Now();
    harm(before);
    int after = before;
    EXPECT_TRUE(fleet_->WaitUntil([&] {
      const int leader = Leader();
      if (leader != 0) after = leader;
      return after != before;
    }));
    const absl::Duration took = absl::Now() - begin;
    const size_t accepted = callers.count();
    EXPECT_TRUE(fleet_->WaitUntil([&] { return callers.count() >= accepted + 20; }));
    callers.Stop();
    EXPECT_THAT(callers.failures(), testing::IsEmpty());
    std::printf("another one leads after %s; the longest call took %s; %zu jobs\n",
                absl::FormatDuration(took).c_str(), absl::FormatDuration(callers.longest()).c_str(),
                callers.count());
    std::set<std::string> all = callers.accepted();
    all.insert(running);
    EveryOneEndsOnce(all);
    const v1::Job kept = fleet_->WaitEnded(running);
    EXPECT_EQ(kept.state(), v1::Job::SUCCEEDED) << kept.ShortDebugString();
    EXPECT_EQ(kept.attempts_size(), 1) << kept.ShortDebugString();
    took_ = took;
    return after;
  }
  void EveryOneEndsOnce(const std::set<std::string>& jobs) {
    for (const std::string& id : jobs) {
      EXPECT_EQ(fleet_->WaitEnded(id).state(), v1::Job::SUCCEEDED) << id;
    }
    // None that nobody was told of: a repeated call made its job once.
    grpc::ClientContext context;
    v1::ListJobsRequest request;
    request.set_page_size(1000);
    v1::ListJobsResponse response;
    ASSERT_TRUE(fleet_->jobs().ListJobs(&context, request, &response).ok());
    if (response.next_page_token().empty()) {
      EXPECT_EQ(static_cast<size_t>(response.jobs_size()), jobs.size());
    }
  }

  std::unique_ptr<scheduler::PostgresServer> database_;
  std::optional<Fleet> fleet_;
  std::map<int, std::unique_ptr<Relay>> relays_;
  absl::Duration took_;
};

TEST_F(StandbyTest, AKilledLeaderIsReplacedAndNoCallFails) {
  LeaderChangesWhile([&](int leader) { fleet_->scheduler(leader).Kill(); });
  EXPECT_LT(took_, kReplaced);
}

TEST_F(StandbyTest, AFrozenLeaderThatWakesLateDoesNoHarmAndStandsBy) {
  int frozen = 0;
  LeaderChangesWhile([&](int leader) {
    frozen = leader;
    fleet_->scheduler(leader).Signal(SIGSTOP);
  });
  fleet_->scheduler(frozen).Signal(SIGCONT);
  Callers callers(*fleet_);
  EXPECT_TRUE(fleet_->WaitUntil([&] { return Standbys() == kSchedulers - 1; }));
  EXPECT_TRUE(fleet_->WaitUntil([&] { return callers.count() >= 20; }));
  callers.Stop();
  EXPECT_THAT(callers.failures(), testing::IsEmpty());
  EXPECT_NE(Leader(), frozen);
}

TEST_F(StandbyTest, ALeaderCutOffFromTheDatabaseIsReplaced) {
  int cut = 0;
  LeaderChangesWhile([&](int leader) {
    cut = leader;
    relays_[leader]->Freeze();
  });
  relays_[cut]->Thaw();
  EXPECT_TRUE(fleet_->WaitUntil([&] { return Standbys() == kSchedulers - 1; }));
  EXPECT_NE(Leader(), cut);
}

TEST_F(StandbyTest, ALeaderThatIsStoppedHandsOverAtOnce) {
  LeaderChangesWhile([&](int leader) {
    fleet_->scheduler(leader).Signal(SIGTERM);
    EXPECT_EQ(fleet_->scheduler(leader).Wait(20), 0);
  });
}

TEST_F(StandbyTest, ABrokenConnectionToTheDatabaseCostsNoCallAndNoLeader) {
  const int leader = Leader();
  Callers callers(*fleet_);
  ASSERT_TRUE(fleet_->WaitUntil([&] { return callers.count() >= 20; }));
  relays_[leader]->Break();
  const size_t accepted = callers.count();
  EXPECT_TRUE(fleet_->WaitUntil([&] { return callers.count() >= accepted + 20; }));
  callers.Stop();
  EXPECT_THAT(callers.failures(), testing::IsEmpty());
  EXPECT_EQ(Leader(), leader);
}

TEST_F(StandbyTest, CallsAreHeldWhileTheDatabaseStartsAgain) {
  Callers callers(*fleet_);
  ASSERT_TRUE(fleet_->WaitUntil([&] { return callers.count() >= 20; }));
  database_->Kill();
  ASSERT_TRUE(database_->StartAgain().ok());
  const size_t accepted = callers.count();
  EXPECT_TRUE(fleet_->WaitUntil([&] { return callers.count() >= accepted + 20; }));
  callers.Stop();
  EXPECT_THAT(callers.failures(), testing::IsEmpty());
  EveryOneEndsOnce(callers.accepted());
}

}  // namespace
}  // namespace switchyard::e2e
