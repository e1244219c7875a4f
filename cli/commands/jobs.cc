#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Jobs final : public Command {
 public:
  std::string name() const override { return "jobs"; }
  std::string summary() const override { return "List jobs, newest first"; }
  void AddFlags(Flags& flags) override {
    flags.Text("--state", &state_, "Only those in this state: queued, running, failed, ...");
    flags.Text("--kind", &kind_, "Only those of this kind: train, predict, noop");
    flags.Text("--array", &array_, "Only those of this array");
    flags.Text("--pipeline", &pipeline_, "Only those of this pipeline's steps");
    flags.Text("--filter", &filter_, "`state = RUNNING AND labels.team = radio`");
    flags.Number("-n,--limit", &limit_, "At most so many (default 50)");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::ListJobsRequest request;
    request.set_filter(Filter());
    const absl::StatusOr<v1::ListJobsResponse> response = Collect(session, request);
    if (!response.ok()) return response.status();
    session.out << (session.json ? ToJsonText(*response)
                                 : JobsTable(response->jobs(), absl::Now()));
    if (!session.json && !response->next_page_token().empty())
      session.out << "... more with --limit\n";
    return ExitCode::kOk;
  }

 private:
  std::string Filter() const {
    std::vector<std::string> terms;
    if (!state_.empty()) terms.push_back("state = " + absl::AsciiStrToUpper(state_));
    if (!kind_.empty()) terms.push_back("kind = " + kind_);
    if (!array_.empty()) terms.push_back("array = " + array_);
    if (!pipeline_.empty()) terms.push_back("pipeline = " + pipeline_);
    if (!filter_.empty()) terms.push_back(filter_);
    return absl::StrJoin(terms, " AND ");
  }

  // Pages may be short or empty: goes on until there are enough or no more.
  absl::StatusOr<v1::ListJobsResponse> Collect(Session& session,
                                               v1::ListJobsRequest request) const {
    const int limit = static_cast<int>(limit_.value_or(50));
    v1::ListJobsResponse all;
    do {
      request.set_page_size(limit - all.jobs_size());
      absl::StatusOr<v1::ListJobsResponse> page = session.client().ListJobs(request);
      if (!page.ok()) return page.status();
      all.mutable_jobs()->MergeFrom(page->jobs());
      all.set_next_page_token(page->next_page_token());
      request.set_page_token(page->next_page_token());
    } while (all.jobs_size() < limit && !all.next_page_token().empty());
    return all;
  }

  std::string state_, kind_, array_, pipeline_, filter_;
  std::optional<uint64_t> limit_;
};

}  // namespace

std::unique_ptr<Command> MakeJobs() { return std::make_unique<Jobs>(); }

}  // namespace switchyard::cli
