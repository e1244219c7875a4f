#include "scheduler/service/attach_registry.h"

#include <utility>

#include "scheduler/service/attach_session.h"

namespace switchyard::scheduler {

uint64_t AttachRegistry::Add(std::shared_ptr<AttachSession> session) {
  MutexLock lock(mutex_);
  sessions_[++last_] = std::move(session);
  return last_;
}

void AttachRegistry::Remove(uint64_t session) {
  MutexLock lock(mutex_);
  sessions_.erase(session);
}

void AttachRegistry::Send(uint64_t epoch, SessionOutput output) {
  std::shared_ptr<AttachSession> session;
  {
    MutexLock lock(mutex_);
    const auto found = sessions_.find(output.session);
    if (found == sessions_.end()) return;
    session = found->second;
  }
  session->Send(epoch, std::move(output));
}

size_t AttachRegistry::size() const {
  MutexLock lock(mutex_);
  return sessions_.size();
}

}  // namespace switchyard::scheduler
