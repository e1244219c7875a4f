// A real S3 server for tests (tests/tools/s3_server), installed at first use, on a free port of the
// loopback, with signatures checked. What it holds is in its memory and gone when it is killed.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/artifacts/s3/s3_client.h"

namespace switchyard {

class S3Server {
 public:
  // Blocks until it answers. UNAVAILABLE when it cannot be installed or started here.
  static absl::StatusOr<std::unique_ptr<S3Server>> Start();
  ~S3Server();

  // How to reach its bucket, with few and short pauses. `port`: another one, of a proxy before it;
  // 0: its own.
  S3ClientOptions options(int port = 0) const;
  int port() const { return port_; }
  void Kill();  // As a crash does.
  void Stop();  // SIGSTOP: it answers nothing and closes nothing.
  void GoOn();  // SIGCONT.

 private:
  S3Server() = default;

  pid_t pid_ = 0;
  int input_ = -1;  // It ends when this is closed, so also when we do.
  int port_ = 0;
  std::string bucket_;
  S3Credentials credentials_;
};

}  // namespace switchyard
