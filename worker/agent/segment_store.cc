#include "worker/agent/segment_store.h"

#include <utility>

namespace switchyard::worker {
namespace {

using ::switchyard::v1::OutputArtifact;

absl::StatusOr<OutputArtifact> StoreSegment(ArtifactStore& artifacts, absl::string_view segment) {
  const absl::StatusOr<ArtifactInfo> info = PutBytes(artifacts, segment);
  if (!info.ok()) return info.status();
  OutputArtifact artifact;
  artifact.set_name("events");
  artifact.set_sha256(info->sha256);
  artifact.set_size_bytes(info->size_bytes);
  artifact.set_media_type(
      "application/x-protobuf; delimited=true; messageType=switchyard.v1.JobEvent");
  return artifact;
}

}  // namespace

ArtifactSegmentStore::ArtifactSegmentStore(ArtifactStore& artifacts)
    : artifacts_(artifacts), thread_([this] { Run(); }) {}

ArtifactSegmentStore::~ArtifactSegmentStore() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

void ArtifactSegmentStore::Store(std::string segment, Done done) {
  {
    MutexLock lock(mutex_);
    waiting_.emplace_back(std::move(segment), std::move(done));
  }
  changed_.Signal();
}

void ArtifactSegmentStore::Run() {
  while (true) {
    std::pair<std::string, Done> next;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) changed_.Wait(mutex_);
      if (waiting_.empty()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next.second(StoreSegment(artifacts_, next.first));
  }
}

}  // namespace switchyard::worker
