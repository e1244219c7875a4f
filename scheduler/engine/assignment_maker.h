// Completes the core's assignments of one drain: finds each job's spec (among the drain's own
// inserts, in the cache, else in the store, all in one read) and the models it needs.
//
// An attempt whose spec or model is damaged or missing can never run: it is given up, that is
// reported failed for good in its worker's name. Any other failure to read fails the drain.
//
// Not thread-safe; one drain each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "scheduler/core/core.h"
#include "scheduler/engine/engine.h"
#include "scheduler/engine/model_links.h"
#include "scheduler/engine/spec_cache.h"

namespace switchyard::scheduler {

class AssignmentMaker {
 public:
  AssignmentMaker(JobStore& store, SpecCache& specs, ModelLinks& models)
      : store_(store), specs_(specs), models_(models) {}

  // The drain's assignments.
  void Expect(std::vector<AssignAttempt> attempts);
  // Every job the drain changed. `insert`: its row among the batch's inserts; kNoInsert: it is
  // older.
  static constexpr size_t kNoInsert = ~size_t{0};
  void Note(const JobImage& image, size_t insert);
  // Whether the spec of this job goes out now, so that it need not be kept.
  bool Expects(JobId job) const { return index_.count(job) != 0; }

  // After the last Note. `specs_read` counts reads from the store.
  absl::Status Make(const WriteBatch& batch, const Now& now, uint64_t& specs_read);

  // After Make, once each.
  std::vector<Assignment> TakeAssignments() { return std::move(made_); }
  std::vector<WorkerReports> TakeGivenUp() { return std::move(given_up_); }

 private:
  struct Entry {
    AssignAttempt attempt;
    std::string tenant;
    uint16_t kind = 0;
    uint8_t priority = 0;
    int64_t expire_us = 0;
    bool repeated = false;  // More happened to the job than that it was accepted.
    bool labels_changed = false;
    std::string labels;
    std::string inputs;  // As in JobLinks.
    JobId array = 0;
    size_t insert = kNoInsert;
    std::string spec;      // When `insert` is not set.
    absl::Status failure;  // Why it is given up.
  };
  static void Note(const JobImage& image, size_t insert, Entry& entry);
  absl::Status FindSpecs(uint64_t& specs_read);
  absl::Status ReadSpecs(absl::Span<Entry* const> entries);
  absl::Status Complete(Entry& entry, absl::string_view spec);
  void GiveUp(const Entry& entry, const Now& now);

  JobStore& store_;
  SpecCache& specs_;
  ModelLinks& models_;
  std::vector<Entry> entries_;
  absl::flat_hash_map<JobId, size_t> index_;
  std::vector<Assignment> made_;
  std::vector<WorkerReports> given_up_;
};

}  // namespace switchyard::scheduler
