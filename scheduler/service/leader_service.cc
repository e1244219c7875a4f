#include "scheduler/service/leader_service.h"

#include <utility>
#include <vector>

namespace switchyard::scheduler {

// One stream. At most one write is under way; what changes meanwhile is told by the next.
class LeaderService::Watch final : public grpc::ServerWriteReactor<worker::v1::LeaderNews>,
                                   public std::enable_shared_from_this<Watch> {
 public:
  explicit Watch(LeaderService& service) : service_(service) {}

  void Tell() {
    MutexLock lock(mutex_);
    dirty_ = true;
    WriteLocked();
  }
  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok) return FinishLocked();
    WriteLocked();
  }
  void OnCancel() override {
    MutexLock lock(mutex_);
    FinishLocked();
  }
  void OnDone() override { service_.Remove(shared_from_this()); }

 private:
  void WriteLocked() REQUIRES(mutex_) {
    if (writing_ || finished_ || !std::exchange(dirty_, false)) return;
    writing_ = true;
    news_ = service_.News();
    StartWrite(&news_);
  }
  void FinishLocked() REQUIRES(mutex_) {
    if (!std::exchange(finished_, true)) Finish(grpc::Status::OK);
  }

  LeaderService& service_;
  worker::v1::LeaderNews news_;
  Mutex mutex_;
  bool dirty_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
};

grpc::ServerWriteReactor<worker::v1::LeaderNews>* LeaderService::WatchLeader(
    grpc::CallbackServerContext*, const worker::v1::WatchLeaderRequest*) {
  auto watch = std::make_shared<Watch>(*this);
  {
    MutexLock lock(mutex_);
    watches_.insert(watch);
  }
  watch->Tell();
  return watch.get();
}

void LeaderService::Changed() {
  std::vector<std::shared_ptr<Watch>> watches;
  {
    MutexLock lock(mutex_);
    watches.assign(watches_.begin(), watches_.end());
  }
  for (const std::shared_ptr<Watch>& watch : watches) watch->Tell();
}

void LeaderService::Remove(const std::shared_ptr<Watch>& watch) {
  MutexLock lock(mutex_);
  watches_.erase(watch);
}

worker::v1::LeaderNews LeaderService::News() const {
  const Lead lead = leadership_.Present();
  worker::v1::LeaderNews news;
  news.set_term(lead.term);
  news.set_leading(lead.leads && clock_.BootTime() < lead.until);
  news.set_leader(leadership_.Schedulers().leader.name);
  return news;
}

}  // namespace switchyard::scheduler
