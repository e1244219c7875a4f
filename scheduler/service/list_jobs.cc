#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/rpc/status.h"
#include "scheduler/service/commands.h"
#include "scheduler/service/job_filter.h"
#include "scheduler/service/job_pages.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/page_token.h"
#include "scheduler/service/waiting_reasons.h"
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

bool IsIn(const std::vector<JobRange>& ranges, JobId id) {
  return std::any_of(ranges.begin(), ranges.end(), [id](const JobRange& range) {
    return id >= range.first && id - range.first < range.count;
  });
}

// Running is known to memory; the store may not have it yet, so that a page of running jobs is
// found without a search.
absl::StatusOr<JobPage> RunningPage(const Backend& backend, const ListQuery& query) {
  const auto ranges = RangesOf(backend, query.tenant, query.filter);
  if (!ranges.ok()) return ranges.status();
  JobPage page;
  std::vector<JobId> ids;
  for (const auto& image : backend.live.Jobs(query.tenant)) {
    if (query.before != 0 && image->id >= query.before) continue;
    if (ranges->has_value() && !IsIn(**ranges, image->id)) continue;
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
  stored.before = query.before;
  stored.max_rows = query.page_size;
  return ListStored(backend, std::move(stored), query.filter);
}

absl::Status Answer(const Backend& backend, const ListQuery& query, const JobPage& page,
                    const WaitingReasons& reasons, v1::ListJobsResponse* response) {
  size_t bytes = 0;
  JobId next = page.next_before;
  for (const JobRow& row : page.rows) {
    absl::StatusOr<v1::Job> job = MakePresentJob(backend, row);
    if (!job.ok()) return job.status();
    reasons.Write(*job);
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

// One call: reads the page, asks what the waiting ones of it wait for, and answers. On the reader
// pool, but for the engine's answer, which only hands on.
class Listing : public std::enable_shared_from_this<Listing> {
 public:
  Listing(const Backend& backend, ListQuery query, v1::ListJobsResponse* response,
          grpc::ServerUnaryReactor* reactor)
      : backend_(backend), query_(std::move(query)), response_(response), reactor_(reactor) {}

  void Start() {
    Run([self = shared_from_this()] { self->Read(); });
  }

 private:
  void Run(std::function<void()> step) {
    const absl::Status taken = backend_.readers.Run(std::move(step));
    if (!taken.ok()) reactor_->Finish(ToGrpc(taken));
  }

  void Read() {
    if (query_.filter.nothing) return reactor_->Finish(grpc::Status::OK);
    absl::StatusOr<JobPage> page = query_.filter.states == kRunning ? RunningPage(backend_, query_)
                                                                    : StoredPage(backend_, query_);
    if (!page.ok()) return reactor_->Finish(ToGrpc(page.status()));
    page_ = std::move(*page);
    std::vector<JobId> waiting;
    for (const JobRow& row : page_.rows) {
      if (row.state == uint32_t{v1::Job::QUEUED}) waiting.push_back(row.id);
    }
    if (waiting.empty()) return Finish(WaitingReasons());
    AskWhatTheyWaitFor(backend_, std::move(waiting),
                       [self = shared_from_this()](WaitingReasons reasons) {
                         self->Run([self, reasons = std::move(reasons)] { self->Finish(reasons); });
                       });
  }

  void Finish(const WaitingReasons& reasons) {
    reactor_->Finish(ToGrpc(Answer(backend_, query_, page_, reasons, response_)));
  }

  const Backend& backend_;
  const ListQuery query_;
  v1::ListJobsResponse* const response_;
  grpc::ServerUnaryReactor* const reactor_;
  JobPage page_;
};

}  // namespace

grpc::ServerUnaryReactor* JobService::ListJobs(grpc::CallbackServerContext* context,
                                               const v1::ListJobsRequest* request,
                                               v1::ListJobsResponse* response) {
  const absl::StatusOr<Principal> principal = backend_.principals.Of(*context, Scope::kJobs);
  if (!principal.ok()) return FinishWith(*context, principal.status());
  absl::StatusOr<ListQuery> query = ReadQuery(*request, *principal);
  if (!query.ok()) return FinishWith(*context, query.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  std::make_shared<Listing>(backend_, std::move(*query), response, reactor)->Start();
  return reactor;
}

}  // namespace switchyard::scheduler
