// The filter of ListJobs: `state = FAILED AND kind = train AND reason = POISON AND labels.team =
// "signal processing"`; a part of AIP-160. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/id/job_id.h"
#include "switchyard/v1/job.pb.h"

namespace switchyard::scheduler {

struct JobFilter {
  uint32_t states = 0;  // Bit 1 << State; 0: every state.
  uint32_t kind = 0;    // v1::Job::KindCase; 0: every kind.
  uint32_t reason = 0;  // v1::Job::Reason; 0: every reason.
  JobId array = 0;       // 0: of every array and of none.
  std::string pipeline;  // Empty: of every pipeline and of none. Its jobs are known by their ids
                         // (job_pages.h), so Matches does not look.
  std::vector<std::pair<std::string, std::string>> labels;
  bool nothing = false;  // Contradicts itself: no job can match.

  bool Matches(const v1::Job& job) const;
};

// The empty text matches every job. INVALID_ARGUMENT (field filter) says what is expected where.
absl::StatusOr<JobFilter> ParseJobFilter(absl::string_view text);

}  // namespace switchyard::scheduler
