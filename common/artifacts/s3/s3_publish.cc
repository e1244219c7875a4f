#include "common/artifacts/s3/s3_publish.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/artifacts/s3/s3_objects.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

using std::chrono::steady_clock;

// A remover decides in the first time or gives up, and its last request is over in the second:
// a mark that is older is one of a dead remover.
constexpr std::chrono::seconds kDecisionTime(30);
constexpr absl::Duration kMarkTime = absl::Minutes(2);
constexpr absl::Duration kPollPause = absl::Milliseconds(100);

void Sleep(const S3Client& client, absl::Duration pause) {
  if (client.options().sleep) return client.options().sleep(pause);
  std::this_thread::sleep_for(absl::ToChronoMilliseconds(pause));
}

absl::StatusOr<bool> IsThere(S3Client& client, const std::string& key) {
  const absl::Status status = HeadObject(client, key).status();
  if (absl::IsNotFound(status)) return false;
  return status.ok() ? absl::StatusOr<bool>(true) : status;
}

// When it was last stored or touched; InfiniteFuture: it is not there.
absl::StatusOr<absl::Time> StoredAt(S3Client& client, const S3Layout& layout,
                                    absl::string_view sha256) {
  const absl::StatusOr<S3Object> bytes = HeadObject(client, layout.Artifact(sha256));
  if (absl::IsNotFound(bytes.status())) return absl::InfiniteFuture();
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<S3Object> touched = HeadObject(client, layout.Touched(sha256));
  if (absl::IsNotFound(touched.status())) return bytes->modified;
  if (!touched.ok()) return touched.status();
  return std::max(bytes->modified, touched->modified);
}

}  // namespace

absl::StatusOr<bool> StayedAfterStoring(S3Client& client, const S3Layout& layout,
                                        absl::string_view sha256) {
  const std::string mark = layout.Removing(sha256);
  absl::StatusOr<bool> marked = IsThere(client, mark);
  if (!marked.ok() || !*marked) return marked.ok() ? absl::StatusOr<bool>(true) : marked;
  for (absl::Duration waited; marked.ok() && *marked; waited += kPollPause) {
    if (waited >= kMarkTime) {
      if (absl::Status status = DeleteObject(client, mark); !status.ok()) return status;
      break;
    }
    Sleep(client, kPollPause);
    marked = IsThere(client, mark);
  }
  if (!marked.ok()) return marked;
  return IsThere(client, layout.Artifact(sha256));
}

absl::Status RequireStayed(S3Client& client, const S3Layout& layout, absl::string_view sha256) {
  const absl::StatusOr<bool> stayed = StayedAfterStoring(client, layout, sha256);
  if (!stayed.ok()) return stayed.status();
  if (*stayed) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kUnavailable, "ARTIFACT_SWEPT",
      absl::StrCat("artifact ", sha256, " was being removed while it was stored; store it again"),
      {{"sha256", sha256}});
}

absl::StatusOr<bool> RemoveFromBucket(S3Client& client, const S3Layout& layout,
                                      absl::string_view sha256, absl::Time stored_before) {
  absl::StatusOr<absl::Time> stored = StoredAt(client, layout, sha256);
  if (!stored.ok()) return stored.status();
  if (*stored >= stored_before) return false;
  const steady_clock::time_point begin = steady_clock::now();
  const std::string mark = layout.Removing(sha256);
  absl::Status status = PutObject(client, mark, "");
  if (!status.ok()) return status;
  stored = StoredAt(client, layout, sha256);
  status = stored.status();
  bool removed = false;
  if (status.ok() && *stored < stored_before && steady_clock::now() - begin < kDecisionTime) {
    // Once only: a repeat could come when the mark counts no more.
    status = client.CallOnce({.verb = "DELETE", .key = layout.Artifact(sha256)}).status();
    removed = status.ok();
  }
  if (removed) {
    status = DeleteObject(client, layout.Sums(sha256));
    if (status.ok()) status = DeleteObject(client, layout.Touched(sha256));
  }
  const absl::Status unmarked = DeleteObject(client, mark);
  if (!status.ok()) return status;
  if (!unmarked.ok()) return unmarked;
  return removed;
}

}  // namespace switchyard
