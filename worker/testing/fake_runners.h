// Runners and a segment store that do nothing but note what they are told; tests play the runners'
// part. Not thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "worker/agent/segment_store.h"
#include "worker/supervise/runners.h"

namespace switchyard::worker {

class FakeRunners final : public Runners {
 public:
  struct Runner {
    RunnerRole role;
    absl::Duration delay;
    std::vector<::switchyard::worker::v1::ToRunner> frames;
    bool closed = false;
    bool killed = false;

    // Jobs it was told to start, in order.
    std::vector<uint64_t> Starts() const {
      std::vector<uint64_t> jobs;
      for (const auto& frame : frames) {
        for (const auto& assignment : frame.start()) jobs.push_back(assignment.ref().job());
      }
      return jobs;
    }
    std::vector<uint64_t> Cancels() const {
      std::vector<uint64_t> jobs;
      for (const auto& frame : frames) {
        for (const auto& cancel : frame.cancel()) jobs.push_back(cancel.ref().job());
      }
      return jobs;
    }
    std::vector<uint64_t> Recalls() const {
      std::vector<uint64_t> jobs;
      for (const auto& frame : frames) {
        for (const auto& ref : frame.recalls()) jobs.push_back(ref.job());
      }
      return jobs;
    }
    int64_t LastExpiry() const {
      int64_t expiry = 0;
      for (const auto& frame : frames) {
        if (frame.lease_expiry_boottime_ns() != 0)
          expiry = static_cast<int64_t>(frame.lease_expiry_boottime_ns());
      }
      return expiry;
    }
  };

  RunnerId Start(RunnerRole role, absl::Duration delay) override {
    runners[++last] = Runner{.role = role, .delay = delay};
    return last;
  }
  void Send(RunnerId runner, const ::switchyard::worker::v1::ToRunner& frame) override {
    runners[runner].frames.push_back(frame);
  }
  void Close(RunnerId runner) override { runners[runner].closed = true; }
  void Kill(RunnerId runner) override { runners[runner].killed = true; }

  Runner& Last() { return runners[last]; }

  std::map<RunnerId, Runner> runners;
  RunnerId last = 0;
};

class FakeSegmentStore final : public SegmentStore {
 public:
  void Store(std::vector<std::string> segments, Done done) override {
    waiting.emplace_back(std::move(segments), std::move(done));
  }
  // Stores the oldest that waits.
  void StoreOne() {
    auto [segments, done] = std::move(waiting.front());
    waiting.erase(waiting.begin());
    Artifacts artifacts;
    for (const std::string& segment : segments) {
      auto& artifact = artifacts.emplace_back();
      artifact.set_name("events");
      artifact.set_size_bytes(static_cast<int64_t>(segment.size()));
    }
    done(std::move(artifacts));
  }
  void FailOne() {
    auto [segments, done] = std::move(waiting.front());
    waiting.erase(waiting.begin());
    done(absl::ResourceExhaustedError("the disk is full"));
  }
  std::vector<std::pair<std::vector<std::string>, Done>> waiting;
};

}  // namespace switchyard::worker
