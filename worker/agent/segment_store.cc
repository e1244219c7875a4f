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

absl::StatusOr<SegmentStore::Artifacts> StoreAll(ArtifactStore& artifacts,
                                                 const std::vector<std::string>& segments) {
  SegmentStore::Artifacts stored;
  for (const std::string& segment : segments) {
    absl::StatusOr<OutputArtifact> artifact = StoreSegment(artifacts, segment);
    if (!artifact.ok()) return artifact.status();
    stored.push_back(*std::move(artifact));
  }
  return stored;
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

void ArtifactSegmentStore::Store(std::vector<std::string> segments, Done done) {
  {
    MutexLock lock(mutex_);
    waiting_.emplace_back(std::move(segments), std::move(done));
  }
  changed_.Signal();
}

void ArtifactSegmentStore::Run() {
  while (true) {
    std::pair<std::vector<std::string>, Done> next;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) changed_.Wait(mutex_);
      if (waiting_.empty()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next.second(StoreAll(artifacts_, next.first));
  }
}

}  // namespace switchyard::worker
