#include "cli/commands/follow.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "cli/format/job_text.h"
#include "cli/format/json.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

std::string FiguresText(const std::map<std::string, double>& figures) {
  std::string text;
  for (const auto& [name, value] : figures) {
    const size_t slash = name.rfind('/');
    absl::StrAppendFormat(&text, "  %s %.4g",
                          slash == std::string::npos ? name : name.substr(slash + 1), value);
  }
  return text;
}

}  // namespace

void EventPrinter::Print(const v1::JobEvent& event) {
  if (session_.json) {
    session_.out << ToJsonLine(event) << "\n" << std::flush;
    return;
  }
  switch (event.event_case()) {
    case v1::JobEvent::kState:
      return PrintState(event.state());
    case v1::JobEvent::kProgress:
      return PrintProgress(event.progress());
    case v1::JobEvent::kMetric:
      return PrintMetric(event.metric());
    case v1::JobEvent::kLog:
      if (options_.logs) PrintLine(Printable(event.log().text()));
      return;
    case v1::JobEvent::kGap:
      return PrintLine(absl::StrCat("(events are missing: ", Printable(event.gap().reason()), ")"));
    case v1::JobEvent::EVENT_NOT_SET:
      return;
  }
}

void EventPrinter::PrintLine(const std::string& line) {
  if (drawn_) session_.out << "\r\033[K";
  drawn_ = false;
  session_.out << line << "\n" << std::flush;
  DrawBar();
}

void EventPrinter::PrintState(const v1::Job& job) {
  if (!options_.bar) return;
  std::string line = StateText(job);
  if (job.state() == v1::Job::RUNNING && !job.attempts().empty()) {
    const v1::Attempt& attempt = *job.attempts().rbegin();
    absl::StrAppend(&line, " attempt ", attempt.number(), " on ", attempt.device(), " of ",
                    attempt.worker());
  }
  if (!IsEnded(job.state())) PrintLine(line);
}

void EventPrinter::PrintProgress(const v1::Progress& progress) {
  fraction_ = progress.fraction();
  message_ = Printable(progress.message());
  if (!options_.bar) return;
  if (session_.terminal) return DrawBar();
  if (message_ == printed_message_) return;
  printed_message_ = message_;
  PrintLine(absl::StrCat(ProgressBar(fraction_, 20), "  ", message_));
}

void EventPrinter::PrintMetric(const v1::Metric& metric) {
  if (!options_.bar) return;
  // The log has a line an epoch of its own.
  if (options_.logs && metric.name().rfind("epoch/", 0) == 0) return;
  if (metric.name().rfind("epoch/", 0) != 0) {
    latest_[metric.name()] = metric.value();
    return DrawBar();
  }
  if (metric.step() != epoch_) FlushEpoch();
  epoch_ = metric.step();
  epoch_figures_[metric.name()] = metric.value();
}

void EventPrinter::FlushEpoch() {
  if (epoch_figures_.empty()) return;
  const std::string line = absl::StrCat("epoch ", epoch_, FiguresText(epoch_figures_));
  epoch_figures_.clear();
  PrintLine(line);
}

void EventPrinter::DrawBar() {
  if (!session_.terminal || !options_.bar || (message_.empty() && fraction_ == 0)) return;
  session_.out << "\r\033[K" << ProgressBar(fraction_, 30) << "  " << message_
               << FiguresText(latest_) << std::flush;
  drawn_ = true;
}

void EventPrinter::Finish() {
  FlushEpoch();
  if (drawn_) session_.out << "\r\033[K" << std::flush;
  drawn_ = false;
}

absl::StatusOr<v1::Job> FollowJob(Session& session, const std::string& id, FollowOptions options) {
  EventPrinter printer(session, options);
  v1::WatchJobRequest request;
  request.set_job(id);
  absl::Time lost = absl::InfiniteFuture();
  for (;;) {
    const absl::Status status = session.client().WatchJob(request, [&](const v1::JobEvent& event) {
      request.set_last_event_id(event.id());
      lost = absl::InfiniteFuture();
      printer.Print(event);
      return true;
    });
    if (status.ok()) break;
    if (lost == absl::InfiniteFuture()) lost = absl::Now();
    if (!absl::IsUnavailable(status) || request.last_event_id().empty() ||
        absl::Now() - lost > kPatience) {
      printer.Finish();
      return status;
    }
    absl::SleepFor(absl::Milliseconds(500));
  }
  printer.Finish();
  return session.client().GetJob(id);
}

absl::StatusOr<ExitCode> FollowToEnd(Session& session, const std::string& id,
                                     FollowOptions options) {
  absl::StatusOr<v1::Job> job = FollowJob(session, id, options);
  if (!job.ok()) return job.status();
  if (session.json) {
    session.out << ToJsonLine(*job) << "\n";
  } else {
    session.out << EndText(*job) << ResultText(*job);
  }
  return ExitCodeOf(*job);
}

}  // namespace switchyard::cli
