// A job of a trace, and where traces come from.
//
// A trace is what happened somewhere, or could: when each job came, how long it ran, on how many
// devices. Policies are shown what a submitter states (devices, memory, timeout, priority, tenant,
// kind, model) and nothing else; `duration_us` and `fails` are known to the simulated workers only.
//
// Values; thread-compatible. Sources are not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace switchyard::scheduler {

struct TraceJob {
  int64_t arrival_us = 0;    // Since the trace's beginning; never less than the job's before it.
  int64_t duration_us = 1;   // Of an undisturbed run, at least 1.
  int64_t memory_bytes = 0;  // Per device; 0: not stated.
  int64_t timeout_us = 0;    // The limit its submitter declared; 0: none, the kind's default holds.
  uint32_t devices = 1;      // At least 1; all at once or none.
  uint32_t tenant = 0;       // Index into TraceSource::tenants().
  uint32_t model = 0;        // Jobs with the same one repeat each other; 0: none. A name by number.
  uint8_t priority = 5;      // 1 to 9.
  uint8_t kind = 0;          // Index into TraceSource::kinds().
  bool fails = false;        // It ends without success, and is not tried again.
};

// Gives a trace's jobs one after the other, so that ten million never have to be held at once.
class TraceSource {
 public:
  virtual ~TraceSource() = default;

  // The next job; false: that was the last. INVALID_ARGUMENT naming place and fault where the trace
  // is not well formed; the source is not used after that.
  virtual absl::StatusOr<bool> Next(TraceJob& job) = 0;

  // Names by number. They may grow with every Next.
  virtual const std::vector<std::string>& tenants() const = 0;
  virtual const std::vector<std::string>& kinds() const = 0;
};

// A trace held in memory: for tests, and for short logs.
class ListedTrace : public TraceSource {
 public:
  ListedTrace(std::vector<TraceJob> jobs, std::vector<std::string> tenants,
              std::vector<std::string> kinds)
      : jobs_(std::move(jobs)), tenants_(std::move(tenants)), kinds_(std::move(kinds)) {}

  absl::StatusOr<bool> Next(TraceJob& job) override {
    if (next_ == jobs_.size()) return false;
    job = jobs_[next_++];
    return true;
  }
  const std::vector<std::string>& tenants() const override { return tenants_; }
  const std::vector<std::string>& kinds() const override { return kinds_; }

 private:
  std::vector<TraceJob> jobs_;
  std::vector<std::string> tenants_;
  std::vector<std::string> kinds_;
  size_t next_ = 0;
};

}  // namespace switchyard::scheduler
