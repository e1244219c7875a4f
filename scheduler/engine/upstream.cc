#include "scheduler/engine/upstream.h"

#include <memory>
#include <set>
#include <utility>

#include "scheduler/engine/row_codec.h"

namespace switchyard::scheduler {
namespace {

bool EndedWithUpstream(const JobImage& image) {
  return image.state == JobState::kCancelled && image.reason == Reason::kUpstreamFailed;
}

}  // namespace

absl::Status UpstreamReader::AddStates(absl::string_view tenant,
                                       const std::vector<JobRange>& ranges,
                                       std::map<JobId, JobState>& states) {
  JobRange last{0, 0};
  for (const JobRange& range : ranges) {
    if (range == last || (range.count == 1 && core_.IsLive(range.first))) continue;
    last = range;
    const absl::StatusOr<std::vector<uint32_t>> stored =
        store_.GetStates(tenant, range.first, range.count);
    if (!stored.ok()) return stored.status();
    for (uint32_t i = 0; i < range.count; ++i) {
      if ((*stored)[i] == 0 || core_.IsLive(range.first + i)) continue;
      states[range.first + i] = static_cast<JobState>((*stored)[i]);
    }
  }
  return absl::OkStatus();
}

absl::Status UpstreamReader::AddStates(absl::string_view tenant, SubmitJobs& submit) {
  std::vector<JobRange> ranges;
  for (const NewJob& job : submit.jobs) {
    for (const NewJob::Dependency& each : job.depends_on) {
      if (!each.in_submit && (ranges.empty() || ranges.back() != each.jobs)) {
        ranges.push_back(each.jobs);
      }
    }
  }
  return AddStates(tenant, ranges, submit.upstream);
}

absl::StatusOr<std::vector<JobImage>> UpstreamReader::Images(const std::vector<JobRange>& ranges) {
  std::vector<JobImage> images;
  std::vector<JobId> stored;
  for (const JobRange& range : ranges) {
    for (JobId id = range.first; id < range.first + range.count; ++id) {
      if (!core_.IsLive(id)) {
        stored.push_back(id);
      } else if (JobImage image; core_.Image(id, image)) {
        images.push_back(std::move(image));
      }
    }
  }
  const absl::StatusOr<std::vector<JobRow>> rows = store_.GetJobs(stored);
  if (!rows.ok()) return rows.status();
  for (const JobRow& row : *rows) {
    if (absl::Status status = DecodeRow(row, images.emplace_back()); !status.ok()) return status;
  }
  return images;
}

absl::StatusOr<ReviveDependents> UpstreamReader::Dependents(absl::string_view tenant,
                                                            const std::vector<JobId>& retried) {
  std::map<JobId, std::shared_ptr<const JobImage>> found;
  std::set<JobRange> upstream;
  std::vector<JobRange> next;
  for (const JobId job : retried) {
    JobImage image;
    if (!core_.Image(job, image)) continue;
    next.insert(next.end(), image.links.dependents.begin(), image.links.dependents.end());
  }
  while (!next.empty()) {
    absl::StatusOr<std::vector<JobImage>> images = Images(next);
    if (!images.ok()) return images.status();
    next.clear();
    for (JobImage& image : *images) {
      if (!EndedWithUpstream(image) || found.count(image.id) != 0) continue;
      next.insert(next.end(), image.links.dependents.begin(), image.links.dependents.end());
      upstream.insert(image.links.depends_on.begin(), image.links.depends_on.end());
      const JobId id = image.id;
      found[id] = std::make_shared<const JobImage>(std::move(image));
    }
  }
  ReviveDependents revive;
  for (auto& [id, image] : found) revive.images.push_back(std::move(image));
  const absl::Status status =
      AddStates(tenant, {upstream.begin(), upstream.end()}, revive.upstream);
  if (!status.ok()) return status;
  return revive;
}

}  // namespace switchyard::scheduler
