#include "worker/supervise/supervisor.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"

namespace switchyard::worker {

Supervisor::Supervisor(SupervisorOptions options) : options_(std::move(options)) {}

Supervisor::~Supervisor() { Stop(); }

void Supervisor::Stop() {
  absl::flat_hash_map<RunnerId, std::shared_ptr<RunnerProcess>> runners;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    runners = runners_;
  }
  for (auto& [id, runner] : runners) runner->Kill();
  runners.clear();
  while (true) {
    std::vector<std::shared_ptr<RunnerProcess>> ended;
    std::shared_ptr<RunnerProcess> next;
    {
      MutexLock lock(mutex_);
      ended.swap(ended_);
      if (!runners_.empty()) next = std::move(runners_.begin()->second);
      if (next != nullptr) runners_.erase(runners_.begin());
    }
    if (next == nullptr && ended.empty()) return;
  }
}

RunnerId Supervisor::Start(RunnerRole role, absl::Duration delay) {
  std::vector<std::shared_ptr<RunnerProcess>> ended;  // Destroyed after the lock.
  MutexLock lock(mutex_);
  const RunnerId id = ++last_;
  ended.swap(ended_);
  if (stopped_) return id;
  RunnerCallbacks callbacks{
      .oom_kills = options_.oom_kills,
      .frame = [this,
                id](::switchyard::worker::v1::FromRunner& frame) { events_->OnFrame(id, frame); },
      .exit = [this, id](const RunnerExit& exit) { OnExit(id, exit); }};
  runners_[id] =
      std::make_shared<RunnerProcess>(spawner_, MakeRequest(role), delay, std::move(callbacks));
  return id;
}

SpawnRequest Supervisor::MakeRequest(RunnerRole role) const {
  SpawnRequest request{
      .path = options_.runner, .environment = options_.environment, .lock_fd = options_.lock_fd};
  request.arguments = {"serve",
                       absl::StrCat("--device=", options_.device.device),
                       absl::StrCat("--device-name=", options_.device.name),
                       absl::StrCat("--threads=", options_.device.threads),
                       absl::StrCat("--memory-bytes=", options_.memory_bytes),
                       absl::StrCat("--work-dir=", options_.work_dir),
                       absl::StrCat("--parent=", getpid())};
  if (options_.artifact_s3.ByteSizeLong() != 0) {
    request.arguments.push_back(
        absl::StrCat("--artifact-s3=", options_.artifact_s3.ShortDebugString()));
  } else {  // An empty value would take the next argument for itself.
    request.arguments.push_back(absl::StrCat("--artifact-dir=", options_.artifact_dir));
  }
  for (const std::string& root : options_.data_roots) {
    request.arguments.push_back(absl::StrCat("--data-root=", root));
  }
  if (!options_.device.uuid.empty()) {
    request.arguments.push_back(absl::StrCat("--device-uuid=", options_.device.uuid));
  }
  if (!options_.command_policy.empty()) {
    request.arguments.push_back(absl::StrCat("--command-policy=", options_.command_policy));
  }
  if (role == RunnerRole::kOwn) {
    request.arguments.push_back("--own");
    request.arguments.push_back("--background");
  }
  return request;
}

void Supervisor::OnExit(RunnerId runner, const RunnerExit& exit) {
  LogInfo("runner ended", {{"runner", runner}, {"how", exit.ToString()}});
  events_->OnExit(runner, exit);
  // Only now: whoever destroys it waits for this thread, and may hold what OnExit needs.
  MutexLock lock(mutex_);
  const auto found = runners_.find(runner);
  if (found == runners_.end()) return;
  ended_.push_back(std::move(found->second));
  runners_.erase(found);
}

std::shared_ptr<RunnerProcess> Supervisor::Find(RunnerId runner) {
  MutexLock lock(mutex_);
  const auto found = runners_.find(runner);
  return found == runners_.end() ? nullptr : found->second;
}

void Supervisor::Send(RunnerId runner, const ::switchyard::worker::v1::ToRunner& frame) {
  if (const auto process = Find(runner)) process->Send(frame);
}

void Supervisor::Close(RunnerId runner) {
  if (const auto process = Find(runner)) process->Close();
}

void Supervisor::Kill(RunnerId runner) {
  if (const auto process = Find(runner)) process->Kill();
}

}  // namespace switchyard::worker
