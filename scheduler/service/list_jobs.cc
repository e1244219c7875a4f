#include <string>
#include <utility>
#include <vector>

#include "scheduler/service/commands.h"
#include "scheduler/service/job_filter.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/page_token.h"
#include "scheduler/watch/job_view.h"

namespace switchyard::scheduler {
namespace {

// Below gRPC clients' default of 4 MiB a message.
constexpr size_t kMostPageBytes = 3 * 1024 * 1024;
constexpr uint32_t kRunning = 1u << v1::Job::RUNNING;

struct ListQuery {
  std::string tenant;
  std::string filter_text;
  JobFilter filter;
  int page_size = 0;
  JobId before = 0;
};

absl::StatusOr<ListQuery> ReadQuery(const v1::ListJobsRequest& request,
                                    const Principal& principal) {
  ListQuery query;
  query.tenant = principal.tenant;
  query.filter_text = request.filter();
  absl::StatusOr<int> size = ReadPageSize(request.page_size());
  if (!size.ok()) return size.status();
  query.page_size = *size;
  absl::StatusOr<JobFilter> filter = ParseJobFilter(request.filter());
  if (!filter.ok()) return filter.status();
  query.filter = std::move(*filter);
  if (request.page_token().empty()) return query;
  const absl::StatusOr<std::string> position =
      ReadPageToken(request.filter(), request.page_token());
  if (!position.ok()) return position.status();
  query.before = ParseJobId(*position).value_or(0);
  return query;
}

// Running is known to memory; the store may not have it yet, so that a page of running jobs is
// found without a search.
absl::StatusOr<JobPage> RunningPage(const Backend& backend, const ListQuery& query) {
  JobPage page;
  std::vector<JobId> ids;
  for (const auto& image : backend.live.Jobs(query.tenant)) {
    if (query.before != 0 && image->id >= query.before) continue;
    if (static_cast<int>(ids.size()) == query.page_size) {
      page.next_before = ids.back();
      break;
    }
    ids.push_back(image->id);
  }
  absl::StatusOr<std::vector<JobRow>> rows = backend.store.GetJobs(ids);
  if (!rows.ok()) return rows.status();
  page.rows = std::move(*rows);
  return page;
}

absl::StatusOr<JobPage> StoredPage(const Backend& backend, const ListQuery& query) {
  JobQuery stored;
  stored.tenant = query.tenant;
  stored.kind = query.filter.kind;
  stored.states = query.filter.states;
  stored.before = query.before;
  stored.max_rows = query.page_size;
  return backend.store.ListJobs(stored);
}

absl::Status List(const Backend& backend, const ListQuery& query, v1::ListJobsResponse* response) {
  if (query.filter.nothing) return absl::OkStatus();
  absl::StatusOr<JobPage> page =
      query.filter.states == kRunning ? RunningPage(backend, query) : StoredPage(backend, query);
  if (!page.ok()) return page.status();
  size_t bytes = 0;
  JobId next = page->next_before;
  for (const JobRow& row : page->rows) {
    absl::StatusOr<v1::Job> job = MakePresentJob(backend, row);
    if (!job.ok()) return job.status();
    // The state may have gone on since the row was written.
    if (!query.filter.Matches(*job)) continue;
    DropBytes(*job);
    bytes += job->ByteSizeLong();
    if (bytes > kMostPageBytes && response->jobs_size() > 0) {
      next = row.id + 1;
      break;
    }
    *response->add_jobs() = std::move(*job);
  }
  if (next != 0) response->set_next_page_token(MakePageToken(query.filter_text, FormatJobId(next)));
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* JobService::ListJobs(grpc::CallbackServerContext* context,
                                               const v1::ListJobsRequest* request,
                                               v1::ListJobsResponse* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<ListQuery> query = ReadQuery(*request, *principal);
  if (!query.ok()) return FinishWith(*context, query.status());
  return FinishWithRead(backend_, *context, [this, query = std::move(*query), response] {
    return List(backend_, query, response);
  });
}

}  // namespace switchyard::scheduler
