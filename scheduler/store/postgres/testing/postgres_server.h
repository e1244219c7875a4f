// A real PostgreSQL server for tests: its own data folder, a Unix socket, no network. Started in
// about two seconds; ended and removed with the object.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace switchyard::scheduler {

// Not thread-safe.
class PostgresServer {
 public:
  // NOT_FOUND naming the package when PostgreSQL is not installed. Run by root, the server runs as
  // the user `postgres` (it refuses to be root).
  static absl::StatusOr<std::unique_ptr<PostgresServer>> Start();
  ~PostgresServer();

  // For PostgresStoreOptions::uri.
  std::string uri() const;
  // Where its socket is.
  const std::string& folder() const { return folder_; }
  // Starts it again so that it also listens on a free port of 127.0.0.1 and speaks TLS there, with
  // a certificate for that address made now. NOT_FOUND without the program openssl.
  absl::Status OfferTls();
  // What its clients are to trust: the certificate itself; and the port.
  std::string certificate() const { return folder_ + "/server.crt"; }
  int port() const { return port_; }
  // Ends the server without a word to its clients (SIGQUIT); and starts it again on the same data.
  void Kill();
  absl::Status StartAgain();

 private:
  explicit PostgresServer(std::string folder) : folder_(std::move(folder)) {}
  absl::Status Initialize();
  absl::Status WaitUntilReady();

  const std::string folder_;
  pid_t pid_ = 0;
  int port_ = 0;  // Set once it offers TLS.
};

}  // namespace switchyard::scheduler
