// The calls on a bucket that the store is made of. Each blocks, is repeated as S3Client says, and
// is thread-safe. Errors are S3Client's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/artifacts/s3/s3_client.h"

namespace switchyard {

// Length of the parts that are sent, and most that is in memory of a stream.
inline constexpr int64_t kS3PartBytes = int64_t{8} << 20;

struct S3Object {
  std::string key;
  int64_t size_bytes = 0;
  absl::Time modified;
};

// A multipart upload to one key. Nothing is seen of it before Complete. Aborted when destroyed
// before; what a dead process leaves is for AbortMultipartsBefore. Used by one thread at a time.
class S3Multipart {
 public:
  static absl::StatusOr<std::unique_ptr<S3Multipart>> Begin(S3Client& client, std::string key);
  ~S3Multipart();

  // The next part; all but the last of at least 5 MiB.
  absl::Status Put(absl::string_view data);
  // The next part: all of another object, which nobody may write to meanwhile. At most 5 GiB.
  //
  // Not a range of it, and not only if it is unchanged: the headers for that begin with the name of
  // the one for the copy, and libcurl before 8.0 then signs them in the wrong order.
  absl::Status Copy(const std::string& source);
  // Publishes. REQUIRES: at least one part.
  absl::Status Complete();

 private:
  S3Multipart(S3Client& client, std::string key, std::string id)
      : client_(client), key_(std::move(key)), id_(std::move(id)) {}

  S3Client& client_;
  const std::string key_;
  const std::string id_;
  std::vector<std::string> etags_;
  bool done_ = false;
};

absl::StatusOr<S3Object> HeadObject(S3Client& client, const std::string& key);
absl::Status PutObject(S3Client& client, const std::string& key, absl::string_view body);
// Deleting what is not there succeeds.
absl::Status DeleteObject(S3Client& client, const std::string& key);
// Bytes offset .. offset + length - 1, fewer at the end.
absl::StatusOr<std::string> GetObject(S3Client& client, const std::string& key, int64_t offset,
                                      int64_t length);
// At most 1000, by key, of those that begin with `prefix` and stand after the key `after`.
absl::StatusOr<std::vector<S3Object>> ListObjects(S3Client& client, const std::string& prefix,
                                                  const std::string& after, int max_objects);
// Publishes the objects `sources`, one after the other, as `key`; each but the last of at least 5
// MiB.
absl::Status JoinObjects(S3Client& client, const std::vector<std::string>& sources,
                         const std::string& key);
// Multipart uploads to keys that begin with `prefix`, begun before `before`. Gives how many.
absl::StatusOr<int> AbortMultipartsBefore(S3Client& client, const std::string& prefix,
                                          absl::Time before);

}  // namespace switchyard
