#include "cli/up/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

constexpr int64_t kMaxLogBytes = 16 << 20;
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
constexpr absl::Duration kRanWell = absl::Seconds(30);

}  // namespace

Supervisor::Supervisor(int stop_fd, std::function<void(const std::string&)> notice)
    : stop_fd_(stop_fd), notice_(std::move(notice)) {}

absl::Status Supervisor::Start(Service service) {
  absl::StatusOr<std::unique_ptr<ChildProcess>> child = ChildProcess::Start(service.argv);
  if (!child.ok()) return child.status();
  const std::string log = service.log;
  running_.push_back(std::unique_ptr<Running>(
      new Running{std::move(service), LogFile(log, kMaxLogBytes), *std::move(child), absl::Now(),
                  absl::InfiniteFuture(), kFirstPause}));
  return absl::OkStatus();
}

absl::Status Supervisor::RunUntil(const std::function<bool()>& done, absl::Duration timeout,
                                  absl::Duration interval, bool restart) {
  restart_ = restart;
  const absl::Time end = absl::Now() + timeout;
  while (!done()) {
    if (absl::Now() >= end) return absl::DeadlineExceededError("not ready in time");
    if (Serve(std::min({interval, end - absl::Now(), UntilNextStart()}))) {
      return absl::CancelledError("asked to stop");
    }
    if (!ended_.ok()) return ended_;
    StartDue();
  }
  return absl::OkStatus();
}

bool Supervisor::Serve(absl::Duration timeout) {
  std::vector<pollfd> fds = {{stop_fd_, POLLIN, 0}};
  std::vector<Running*> owners = {nullptr};
  for (const auto& running : running_) {
    if (running->child == nullptr) continue;
    fds.push_back({running->child->output_fd(), POLLIN, 0});
    fds.push_back({running->child->pid_fd(), POLLIN, 0});
    owners.insert(owners.end(), 2, running.get());
  }
  // An output whose last writer is gone polls as hung up for ever; the pid tells the end.
  const int64_t wait_ms =
      timeout == absl::InfiniteDuration()
          ? -1
          : std::max<int64_t>(
                0, absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1))));
  poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
  for (size_t i = 1; i < fds.size(); i += 2) {
    if (fds[i].revents != 0) CopyOutput(*owners[i]);
    if (fds[i + 1].revents != 0 && owners[i]->child->Ended()) HandleEnded(*owners[i]);
  }
  return fds[0].revents != 0;
}

void Supervisor::CopyOutput(Running& running) {
  char buffer[64 << 10];
  const ssize_t size = read(running.child->output_fd(), buffer, sizeof buffer);
  if (size > 0) running.log.Append({buffer, static_cast<size_t>(size)});
}

void Supervisor::HandleEnded(Running& running) {
  CopyOutput(running);
  const std::string how = running.child->EndText();
  running.child.reset();
  if (!restart_) {
    if (ended_.ok()) {
      ended_ = absl::FailedPreconditionError(
          absl::StrCat(running.service.name, " ended at its start with ", how, "; ",
                       running.service.log, " ends with:\n", running.log.Tail(2000)));
    }
    return;
  }
  if (absl::Now() - running.started > kRanWell) running.pause = kFirstPause;
  notice_(absl::StrCat(running.service.name, " ended with ", how, "; it starts again in ",
                       DurationText(running.pause), " (", running.service.log, ")"));
  running.start_again = absl::Now() + running.pause;
  running.pause = std::min(running.pause * 2, kLongestPause);
}

void Supervisor::StartDue() {
  for (const auto& running : running_) {
    if (running->child != nullptr || absl::Now() < running->start_again) continue;
    absl::StatusOr<std::unique_ptr<ChildProcess>> child =
        ChildProcess::Start(running->service.argv);
    if (!child.ok()) {
      notice_(absl::StrCat("cannot start ", running->service.name, ": ", child.status().message()));
      running->start_again = absl::Now() + kLongestPause;
      continue;
    }
    running->child = *std::move(child);
    running->started = absl::Now();
    running->start_again = absl::InfiniteFuture();
  }
}

absl::Duration Supervisor::UntilNextStart() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& running : running_) next = std::min(next, running->start_again);
  return next == absl::InfiniteFuture() ? absl::InfiniteDuration() : next - absl::Now();
}

bool Supervisor::Alive(int stage) const {
  return std::any_of(running_.begin(), running_.end(), [&](const auto& running) {
    return running->child != nullptr && running->service.stop_stage == stage;
  });
}

void Supervisor::StopStage(int stage) {
  absl::Duration longest = absl::ZeroDuration();
  for (const auto& running : running_) {
    if (running->child == nullptr || running->service.stop_stage != stage) continue;
    running->child->Signal(SIGTERM);
    longest = std::max(longest, running->service.stop_timeout);
  }
  const absl::Time end = absl::Now() + longest;
  while (Alive(stage) && absl::Now() < end)
    Serve(std::min(end - absl::Now(), absl::Milliseconds(100)));
  for (const auto& running : running_) {
    if (running->child == nullptr || running->service.stop_stage != stage) continue;
    notice_(absl::StrCat(running->service.name, " did not end in ", DurationText(longest),
                         "; it is killed"));
    running->child.reset();
  }
}

void Supervisor::Stop() {
  restart_ = false;
  std::set<int> stages;
  for (const auto& running : running_) stages.insert(running->service.stop_stage);
  for (const int stage : stages) StopStage(stage);
  running_.clear();
}

}  // namespace switchyard::cli
