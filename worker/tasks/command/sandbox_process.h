// One run of switchyard-sandbox: its start, its output, its orders, its report.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/artifacts/file_io.h"
#include "switchyard/worker/v1/sandbox.pb.h"

namespace switchyard::worker {

enum class Stream { kOut, kError };

// Not thread-safe. The thread that makes it must live as long as it: the kernel ends the sandbox
// with the thread that started it.
class SandboxProcess {
 public:
  // `binary`: path of switchyard-sandbox. UNAVAILABLE when it cannot be started.
  static absl::StatusOr<SandboxProcess> Start(const std::string& binary,
                                              const ::switchyard::worker::v1::SandboxPlan& plan);
  // Ends everything and waits for it.
  ~SandboxProcess();
  SandboxProcess(SandboxProcess&&) = default;

  // Waits at most `wait` for output and hands it out. False once the end has come and all output
  // was handed out.
  bool Poll(absl::Duration wait, const std::function<void(Stream, absl::string_view)>& output);

  // SIGTERM, SIGKILL to every process of the program.
  void Terminate();
  void Kill();

  // After Poll said false. Nothing: the sandbox ended without a word.
  const std::optional<::switchyard::worker::v1::SandboxReport>& report() const { return report_; }

 private:
  SandboxProcess(pid_t pid, int control, int out, int error);
  void Read(UniqueFd* fd, Stream stream,
            const std::function<void(Stream, absl::string_view)>& output);
  void ReadReport();
  void Order(char order);

  struct Pid {  // Moved from: 0.
    explicit Pid(pid_t value) : value(value) {}
    Pid(Pid&& other) : value(other.value) { other.value = 0; }
    pid_t value;
  };
  Pid pid_;
  std::optional<UniqueFd> control_, out_, error_;  // Nothing: closed.
  std::optional<::switchyard::worker::v1::SandboxReport> report_;
};

}  // namespace switchyard::worker
