#include "common/leader/leader_finder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "switchyard/worker/v1/leader_service.grpc.pb.h"

namespace switchyard {

using ::switchyard::worker::v1::LeaderNews;
using ::switchyard::worker::v1::LeaderService;
using ::switchyard::worker::v1::WatchLeaderRequest;

namespace {

// How long a wait for a connection goes without looking whether to stop.
constexpr std::chrono::milliseconds kConnectSlice(100);
// Between the end of a stream and the next.
constexpr std::chrono::milliseconds kPause(100);

}  // namespace

LeaderFinder::LeaderFinder(const std::vector<std::string>& addresses, const Dial& dial,
                           std::function<void()> changed)
    : changed_(std::move(changed)) {
  for (const std::string& address : addresses) {
    schedulers_.push_back({schedulers_.size(), address, dial(address)});
  }
  if (schedulers_.size() == 1) return;
  {
    MutexLock lock(mutex_);
    news_.resize(schedulers_.size());
    streams_.resize(schedulers_.size());
  }
  for (size_t i = 0; i < schedulers_.size(); ++i) threads_.emplace_back([this, i] { Watch(i); });
}

LeaderFinder::~LeaderFinder() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    for (grpc::ClientContext* stream : streams_) {
      if (stream != nullptr) stream->TryCancel();
    }
    stopped_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

const LeaderFinder::Scheduler& LeaderFinder::leader() const {
  MutexLock lock(mutex_);
  return schedulers_[leader_];
}

void LeaderFinder::Watch(size_t index) {
  while (WaitUntilConnected(*schedulers_[index].channel)) {
    Listen(index);
    // What it said counts no more; the highest term it knew of does.
    LeaderNews unknown;
    MutexLock lock(mutex_);
    unknown.set_term(news_[index].term());
    news_[index] = unknown;
    if (!stop_) stopped_.WaitFor(mutex_, kPause);
    if (stop_) return;
  }
}

bool LeaderFinder::WaitUntilConnected(grpc::Channel& channel) {
  while (!channel.WaitForConnected(std::chrono::system_clock::now() + kConnectSlice)) {
    MutexLock lock(mutex_);
    if (stop_) return false;
  }
  return true;
}

void LeaderFinder::Listen(size_t index) {
  const auto stub = LeaderService::NewStub(schedulers_[index].channel);
  grpc::ClientContext context;
  {
    MutexLock lock(mutex_);
    if (stop_) return;
    streams_[index] = &context;
  }
  const auto stream = stub->WatchLeader(&context, WatchLeaderRequest());
  LeaderNews news;
  while (stream->Read(&news)) Note(index, news);
  {
    MutexLock lock(mutex_);
    streams_[index] = nullptr;
  }
  stream->Finish();
}

void LeaderFinder::Note(size_t index, const LeaderNews& news) {
  {
    MutexLock lock(mutex_);
    news_[index] = news;
    const size_t leader = Judge();
    if (std::exchange(leader_, leader) == leader) return;
  }
  changed_();
}

size_t LeaderFinder::Judge() const {
  uint64_t highest = 0;
  for (const LeaderNews& news : news_) highest = std::max<uint64_t>(highest, news.term());
  for (size_t i = 0; i < news_.size(); ++i) {
    if (news_[i].leading() && news_[i].term() == highest) return i;
  }
  return leader_;
}

}  // namespace switchyard
