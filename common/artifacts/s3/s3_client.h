// Requests to an S3 service: signed (AWS signature version 4, by libcurl), and repeated when they
// failed in a way that may pass. What buckets hold and why is not known here.
//
// Thread-safe: connections are kept and lent to one request at a time. Blocks. Every request is one
// that may be repeated.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"

namespace switchyard {

struct S3Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // Empty: none.
};

struct S3ClientOptions {
  std::string endpoint;  // `https://host[:port]`, no slash at the end.
  std::string bucket;
  std::string region = "us-east-1";
  bool path_style = false;
  std::string ca_file;  // Empty: the system's.
  S3Credentials credentials;
  int attempts = 5;  // In all.
  // Before the second attempt at most; doubles up to `most_pause`. A random part of it is waited.
  absl::Duration first_pause = absl::Milliseconds(200);
  absl::Duration most_pause = absl::Seconds(5);
  // A request without a byte in either direction for so long has failed.
  std::chrono::seconds stall_timeout = std::chrono::seconds(30);
  std::function<void(absl::Duration)> sleep;  // Null: really sleeps.
};

struct S3Request {
  std::string verb = "GET";
  std::string key;  // Of unreserved characters and slashes. Empty: the bucket itself.
  // Sorted by name; names and values of unreserved characters, which are sent as they are, and what
  // is not is escaped.
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;  // Lower-case names.
  absl::string_view body;
};

struct S3Response {
  int status = 0;
  std::string body;
  std::string etag;  // With its quotes.
  int64_t content_length = -1;
  absl::Time last_modified;  // InfinitePast when the service did not say.
};

// libcurl's, of one connection. Not thread-safe.
class S3Connection;

class S3Client {
 public:
  explicit S3Client(S3ClientOptions options);
  ~S3Client();

  // The answer, when its status is 2xx. Else, with the service's own code and message: NOT_FOUND
  // (404), PERMISSION_DENIED (401, 403), FAILED_PRECONDITION (412), OUT_OF_RANGE (416),
  // RESOURCE_EXHAUSTED (reason DISK_FULL; 507), UNAVAILABLE (5xx, 429, no connection, after all
  // attempts), INTERNAL else.
  absl::StatusOr<S3Response> Call(const S3Request& request);
  // One attempt only.
  absl::StatusOr<S3Response> CallOnce(const S3Request& request);

  // `bucket/key` for messages.
  std::string NameOf(absl::string_view key) const;
  const S3ClientOptions& options() const { return options_; }

 private:
  absl::Status ErrorOf(const S3Request& request, const S3Response& response) const;
  std::string UrlOf(const S3Request& request) const;
  void Pause(int attempt);
  std::unique_ptr<S3Connection> Take() EXCLUDES(mutex_);
  void GiveBack(std::unique_ptr<S3Connection> connection) EXCLUDES(mutex_);

  const S3ClientOptions options_;
  Mutex mutex_;
  std::vector<std::unique_ptr<S3Connection>> idle_ GUARDED_BY(mutex_);
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. FAILED_PRECONDITION naming what is
// missing.
absl::StatusOr<S3Credentials> S3CredentialsFromEnvironment();

}  // namespace switchyard
