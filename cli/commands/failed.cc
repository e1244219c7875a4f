// Jobs that failed for good: what there is, another attempt, away with them.
#include <map>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

// Jobs named in one call, as the service bounds it.
constexpr size_t kJobsACall = 500;
constexpr int kPageSize = 1000;
constexpr uint64_t kListedByDefault = 20;
// Failed jobs looked at for the counts.
constexpr size_t kMostCounted = 100'000;

// Which failed jobs are meant.
struct FailedFlags {
  std::string kind, reason, filter;

  void Add(Flags& flags) {
    flags.Text("--kind", &kind, "Only those of this kind: train, predict, ...");
    flags.Text("--reason", &reason, "Only those that failed by this: poison, timed_out, ...");
    flags.Text("--filter", &filter, "`labels.team = radio`");
  }
  std::vector<std::string> Terms() const {
    std::vector<std::string> terms;
    if (!kind.empty()) terms.push_back("kind = " + kind);
    if (!reason.empty()) terms.push_back("reason = " + absl::AsciiStrToUpper(reason));
    if (!filter.empty()) terms.push_back(filter);
    return terms;
  }
};

std::string CauseOf(const v1::Job& job) {
  return job.has_error() ? job.error().message() : job.message();
}

std::string ReasonText(const v1::Job& job) {
  return job.reason() == v1::Job::REASON_UNSPECIFIED ? "" : v1::Job::Reason_Name(job.reason());
}

class FailedList final : public Command {
 public:
  explicit FailedList(const char* name) : name_(name) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return "Jobs that failed for good, with the cause"; }
  void AddFlags(Flags& flags) override {
    which_.Add(flags);
    flags.Number("-n,--limit", &limit_, "Show at most so many (default 20); all are counted");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::ListJobsRequest request;
    std::vector<std::string> terms = which_.Terms();
    terms.insert(terms.begin(), "state = FAILED");
    request.set_filter(absl::StrJoin(terms, " AND "));
    request.set_page_size(kPageSize);
    v1::ListJobsResponse shown;
    Counts counts;
    size_t counted = 0;
    do {
      absl::StatusOr<v1::ListJobsResponse> page = session.client().ListJobs(request);
      if (!page.ok()) return page.status();
      for (v1::Job& job : *page->mutable_jobs()) {
        ++counts[{KindText(job), ReasonText(job)}];
        ++counted;
        if (static_cast<uint64_t>(shown.jobs_size()) < limit_.value_or(kListedByDefault))
          shown.add_jobs()->Swap(&job);
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty() && counted < kMostCounted);
    shown.set_next_page_token(request.page_token());
    session.out << (session.json ? ToJsonText(shown) : Text(shown, counts, counted));
    return ExitCode::kOk;
  }

 private:
  using Counts = std::map<std::pair<std::string, std::string>, size_t>;

  static std::string Text(const v1::ListJobsResponse& shown, const Counts& counts, size_t counted) {
    if (counted == 0) return "no job failed for good\n";
    Table groups({">FAILED", "KIND", "REASON"});
    for (const auto& [group, count] : counts)
      groups.Add({absl::StrCat(count), group.first, group.second});
    Table jobs({"JOB", "KIND", "REASON", ">ATTEMPTS", ">AGO", "CAUSE"});
    for (const v1::Job& job : shown.jobs()) {
      jobs.Add({job.id(), KindText(job), ReasonText(job),
                absl::StrCat(job.attempts().empty() ? 0 : job.attempts().rbegin()->number()),
                DurationText(absl::Now() - FromProto(job.end_time())), CauseOf(job)});
    }
    std::string text = absl::StrCat(groups.Text(), "\n", jobs.Text());
    const size_t more = counted - static_cast<size_t>(shown.jobs_size());
    if (more > 0) absl::StrAppend(&text, "... and ", more, " more with --limit\n");
    return text;
  }

  const char* const name_;
  FailedFlags which_;
  std::optional<uint64_t> limit_;
};

// retry and discard: many at once, in calls of bounded size, until all are done.
template <typename Request, typename Response>
class FailedChange final : public Command {
 public:
  using Call = absl::StatusOr<Response> (Client::*)(const Request&);
  FailedChange(const char* name, const char* summary, const char* done, Call call)
      : name_(name), summary_(summary), done_(done), call_(call) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return summary_; }
  void AddFlags(Flags& flags) override {
    flags.List("JOB", &jobs_, "Job ids");
    which_.Add(flags);
    flags.Switch("--all", &all_, "Every failed job");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const std::vector<std::string> terms = which_.Terms();
    if (int{!jobs_.empty()} + int{!terms.empty()} + int{all_} != 1) {
      return absl::InvalidArgumentError(
          "name jobs, or choose some by --kind, --reason or --filter, or take --all");
    }
    const absl::Status status = jobs_.empty()
                                    ? ByFilter(session, all_ ? "*" : absl::StrJoin(terms, " AND "))
                                    : ByName(session);
    if (!status.ok()) return status;
    session.out << (session.json ? ToJsonText(total_) : Text());
    return total_.failures_size() == 0 ? ExitCode::kOk : ExitCode::kRefused;
  }

 private:
  absl::Status ByFilter(Session& session, const std::string& filter) {
    Request request;
    request.set_filter(filter);
    do {
      if (absl::Status status = One(session, request); !status.ok()) return status;
      request.set_page_token(total_.next_page_token());
    } while (!total_.next_page_token().empty());
    return absl::OkStatus();
  }

  absl::Status ByName(Session& session) {
    for (size_t begin = 0; begin < jobs_.size(); begin += kJobsACall) {
      Request request;
      for (size_t i = begin; i < std::min(begin + kJobsACall, jobs_.size()); ++i)
        request.add_jobs(jobs_[i]);
      if (absl::Status status = One(session, request); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status One(Session& session, Request& request) {
    request.set_request_id(NewRequestId());
    absl::StatusOr<Response> response = (session.client().*call_)(request);
    if (!response.ok()) return response.status();
    total_.mutable_jobs()->MergeFrom(response->jobs());
    total_.mutable_failures()->MergeFrom(response->failures());
    total_.set_next_page_token(response->next_page_token());
    return absl::OkStatus();
  }

  std::string Text() const {
    std::string text = absl::StrCat(total_.jobs_size(), " ", done_, "\n");
    for (const v1::JobFailure& failure : total_.failures())
      absl::StrAppend(&text, failure.job(), ": ", Printable(failure.error().message()), "\n");
    return text;
  }

  const char* const name_;
  const char* const summary_;
  const char* const done_;
  const Call call_;
  std::vector<std::string> jobs_;
  FailedFlags which_;
  bool all_ = false;
  Response total_;
};

}  // namespace

std::unique_ptr<Command> MakeFailed() { return std::make_unique<FailedList>("failed"); }
std::unique_ptr<Command> MakeFailedList() { return std::make_unique<FailedList>("failed list"); }
std::unique_ptr<Command> MakeFailedRetry() {
  return std::make_unique<FailedChange<v1::BatchRetryJobsRequest, v1::BatchRetryJobsResponse>>(
      "failed retry", "Give failed jobs their next attempt", "queued again",
      &Client::BatchRetryJobs);
}
std::unique_ptr<Command> MakeFailedDiscard() {
  return std::make_unique<FailedChange<v1::BatchDiscardJobsRequest, v1::BatchDiscardJobsResponse>>(
      "failed discard", "Remove failed jobs for good", "discarded", &Client::BatchDiscardJobs);
}

}  // namespace switchyard::cli
