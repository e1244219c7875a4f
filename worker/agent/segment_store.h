// Stores event segments as artifacts, off the threads that move messages: a store waits for the
// disk.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/artifacts/artifact_store.h"
#include "common/sync/mutex.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::worker {

// The port, so that tests can store at once or never.
class SegmentStore {
 public:
  using Artifacts = std::vector<::switchyard::v1::OutputArtifact>;
  using Done = std::function<void(absl::StatusOr<Artifacts>)>;
  virtual ~SegmentStore() = default;
  // `done` gets an artifact named `events` for each segment, stored and synced, in the same order;
  // all or an error. Never calls it from within.
  virtual void Store(std::vector<std::string> segments, Done done) = 0;
};

// Thread-safe. One thread, in order.
class ArtifactSegmentStore final : public SegmentStore {
 public:
  // `artifacts` outlives this.
  explicit ArtifactSegmentStore(ArtifactStore& artifacts);
  // Stores what is waiting first.
  ~ArtifactSegmentStore() override;
  void Store(std::vector<std::string> segments, Done done) override;

 private:
  void Run();

  ArtifactStore& artifacts_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::pair<std::vector<std::string>, Done>> waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace switchyard::worker
