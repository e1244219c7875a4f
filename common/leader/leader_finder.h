// Finds the scheduler that leads among those an installation has, and keeps finding it.
//
// Gateways and workers are told all addresses. With one there is nothing to find. With several each
// scheduler is asked on a stream whether it leads and tells whenever that changes, so that a new
// leader is known a moment after it took over, also when the one before is frozen or cut off and
// says nothing at all. Whom the highest term names is the leader; what a scheduler says of an older
// term does not count.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/sync/mutex.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "switchyard/worker/v1/leader_service.pb.h"

namespace switchyard {

class LeaderFinder {
 public:
  struct Scheduler {
    size_t index = 0;  // In the list of addresses.
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
  };
  using Dial = std::function<std::shared_ptr<grpc::Channel>(const std::string& address)>;

  // REQUIRES: `addresses` is not empty. `changed` is called, from a thread of this, when another
  // scheduler leads than before; it must not block.
  LeaderFinder(const std::vector<std::string>& addresses, const Dial& dial,
               std::function<void()> changed);
  ~LeaderFinder();

  // The scheduler to ask: the leader, as far as is known; until one was found, the first.
  const Scheduler& leader() const;
  const std::vector<Scheduler>& schedulers() const { return schedulers_; }

 private:
  void Watch(size_t index);
  // One stream, from its opening to its end.
  void Listen(size_t index);
  bool WaitUntilConnected(grpc::Channel& channel);
  void Note(size_t index, const ::switchyard::worker::v1::LeaderNews& news);
  // Index of who leads by what is known; the present one when that names nobody.
  size_t Judge() const REQUIRES(mutex_);

  std::vector<Scheduler> schedulers_;
  const std::function<void()> changed_;
  mutable Mutex mutex_;
  CondVar stopped_;
  bool stop_ GUARDED_BY(mutex_) = false;
  size_t leader_ GUARDED_BY(mutex_) = 0;
  std::vector<::switchyard::worker::v1::LeaderNews> news_ GUARDED_BY(mutex_);
  std::vector<grpc::ClientContext*> streams_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace switchyard
