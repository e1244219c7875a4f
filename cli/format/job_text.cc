#include "cli/format/job_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

std::string Words(const std::string& enum_name) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(enum_name), {{"_", " "}});
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E3S", FromProto(time), absl::LocalTimeZone());
}

constexpr size_t kMostSubjectBytes = 60;

// What a job is about, in a few words.
std::string SubjectOf(const v1::Job& job) {
  if (job.has_train())
    return absl::StrCat(job.train().architecture(), " as ", job.train().save_as());
  if (job.has_command()) {
    return absl::StrCat(job.command().program(), " ", absl::StrJoin(job.command().arguments(), " "))
        .substr(0, kMostSubjectBytes);
  }
  if (job.has_predict()) {
    return absl::StrCat(job.predict().model(), job.predict().version() > 0
                                                   ? absl::StrCat("@", job.predict().version())
                                                   : "");
  }
  return "";
}

std::string DeviceOf(const v1::Job& job) {
  if (job.attempts().empty()) return job.device();
  const v1::Attempt& last = *job.attempts().rbegin();
  return absl::StrCat(last.device(), " on ", last.worker());
}

absl::Duration Age(const v1::Job& job, absl::Time now) {
  return now - FromProto(job.create_time());
}

absl::Duration TimeTaken(const v1::Job& job, absl::Time now) {
  if (!job.has_start_time()) return absl::ZeroDuration();
  return (job.has_end_time() ? FromProto(job.end_time()) : now) - FromProto(job.start_time());
}

void Line(std::string* text, absl::string_view name, absl::string_view value) {
  if (!value.empty())
    absl::StrAppendFormat(text, "%-10s %s\n", name, Printable(std::string(value)));
}

std::string TimingsText(const v1::Timings& timings) {
  return absl::StrCat("queued ", DurationText(FromProto(timings.queued())), ", dispatched ",
                      DurationText(FromProto(timings.dispatched())), ", prepared ",
                      DurationText(FromProto(timings.prepared())), ", run ",
                      DurationText(FromProto(timings.run())), ", stored ",
                      DurationText(FromProto(timings.stored())));
}

std::string AttemptsTable(const v1::Job& job) {
  Table table({">ATTEMPT", "OUTCOME", "DEVICE", "NAME", "WORKER", "STARTED", ">TOOK", "ERROR"});
  for (const v1::Attempt& attempt : job.attempts()) {
    const bool ended = attempt.has_end_time() && attempt.has_start_time();
    table.Add(
        {absl::StrCat(attempt.number()),
         attempt.outcome() == v1::Attempt::OUTCOME_UNSPECIFIED
             ? "not ended"
             : Words(v1::Attempt::Outcome_Name(attempt.outcome())),
         attempt.device(), attempt.device_name(), attempt.worker(),
         attempt.has_start_time() ? TimeText(attempt.start_time()) : "",
         ended ? DurationText(FromProto(attempt.end_time()) - FromProto(attempt.start_time())) : "",
         attempt.error().message()});
  }
  return table.Text();
}

std::string OutputsTable(const v1::Job& job) {
  Table table({"OUTPUT", ">SIZE", "SHA256"});
  for (const v1::OutputArtifact& output : job.outputs()) {
    table.Add({output.name(), BytesText(output.size_bytes()), output.sha256()});
  }
  return table.Text();
}

std::string TrainText(const v1::TrainResult& result) {
  // A stopped training registers nothing.
  std::string text = absl::StrFormat(
      "model %s %s: validation accuracy %s, loss %.4f, after %d epochs on %d samples (%d held "
      "out)\n",
      result.model(),
      result.version() > 0 ? absl::StrCat("version ", result.version()) : "(not registered)",
      PercentText(result.validation_accuracy()), result.validation_loss(), result.epochs(),
      result.train_samples(), result.validation_samples());
  Table table({"CLASS", ">PRECISION", ">RECALL", ">SAMPLES"});
  for (const v1::ClassFigures& figures : result.classes()) {
    table.Add({figures.name(), PercentText(figures.precision()), PercentText(figures.recall()),
               absl::StrCat(figures.support())});
  }
  return table.empty() ? text : text + table.Text();
}

std::string PredictText(const v1::PredictResult& result) {
  Table table({"ITEM", "ANSWERS"});
  for (const v1::ItemResult& item : result.items()) {
    const std::string answers =
        absl::StrJoin(item.answers(), "  ", [](std::string* out, const v1::Answer& answer) {
          absl::StrAppend(out, answer.label(), " ", PercentText(answer.probability()));
        });
    table.Add({item.item().empty() ? "-" : item.item(),
               item.error().empty() ? answers : absl::StrCat("error: ", item.error())});
  }
  std::string text = table.empty() ? "" : table.Text();
  absl::StrAppendFormat(&text, "%d items, %d with errors, by %s version %d\n", result.item_count(),
                        result.error_count(), result.model(), result.version());
  if (!result.items_artifact().empty()) {
    absl::StrAppend(&text, "all items: switchyard artifacts get ", result.items_artifact(), "\n");
  }
  return text;
}

std::string CommandText(const v1::CommandResult& result) {
  std::string text =
      absl::StrCat("exit code ", result.exit_code(), ", processor time ",
                   DurationText(FromProto(result.cpu_time())), ", peak memory ",
                   BytesText(static_cast<int64_t>(result.peak_memory_bytes())), "\n");
  if (result.dropped_lines() > 0)
    absl::StrAppend(&text, result.dropped_lines(), " lines came too fast for the log\n");
  return text;
}

}  // namespace

std::string KindText(const v1::Job& job) {
  if (job.kind_case() == v1::Job::KIND_NOT_SET) return "?";
  return v1::Job::descriptor()->FindFieldByNumber(job.kind_case())->name();
}

std::string StateText(const v1::Job& job) {
  std::string text = v1::Job::State_Name(job.state());
  if (job.reason() != v1::Job::REASON_UNSPECIFIED) {
    absl::StrAppend(&text, " (", Words(v1::Job::Reason_Name(job.reason())), ")");
  } else if (job.state() == v1::Job::RUNNING && job.phase() != v1::Job::PHASE_UNSPECIFIED) {
    absl::StrAppend(&text, " (", Words(v1::Job::Phase_Name(job.phase())), ")");
  }
  return text;
}

bool IsEnded(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::EXPIRED;
}

std::string JobsTable(const google::protobuf::RepeatedPtrField<v1::Job>& jobs, absl::Time now) {
  Table table({"JOB", "KIND", "STATE", ">PRIORITY", ">DONE", ">AGE", ">TOOK", "DEVICE", "WHAT"});
  for (const v1::Job& job : jobs) {
    table.Add(
        {job.id(), KindText(job), StateText(job), absl::StrCat(job.priority()),
         absl::StrFormat("%.0f %%", 100 * (job.state() == v1::Job::SUCCEEDED ? 1 : job.progress())),
         DurationText(Age(job, now)), job.has_start_time() ? DurationText(TimeTaken(job, now)) : "",
         DeviceOf(job), SubjectOf(job)});
  }
  return table.Text();
}

std::string JobDetails(const v1::Job& job, absl::Time now) {
  std::string text;
  Line(&text, "job", job.id());
  Line(&text, "kind", absl::StrCat(KindText(job), " ", SubjectOf(job)));
  Line(&text, "state", StateText(job));
  Line(&text, "message", job.message());
  if (job.has_error()) Line(&text, "error", job.error().message());
  if (!IsEnded(job.state())) Line(&text, "progress", ProgressBar(job.progress(), 30));
  Line(&text, "priority", absl::StrCat(job.priority()));
  Line(&text, "device", DeviceOf(job));
  Line(&text, "tenant", job.tenant());
  for (const auto& [key, value] : job.labels()) Line(&text, "label", absl::StrCat(key, "=", value));
  Line(&text, "submitted",
       absl::StrCat(TimeText(job.create_time()), " (", DurationText(Age(job, now)), " ago)"));
  if (job.has_start_time()) Line(&text, "started", TimeText(job.start_time()));
  if (job.has_end_time()) Line(&text, "ended", TimeText(job.end_time()));
  if (job.has_timings()) Line(&text, "timings", TimingsText(job.timings()));
  if (!job.attempts().empty()) absl::StrAppend(&text, "\n", AttemptsTable(job));
  if (!job.outputs().empty()) absl::StrAppend(&text, "\n", OutputsTable(job));
  if (const std::string result = ResultText(job); !result.empty())
    absl::StrAppend(&text, "\n", result);
  return text;
}

std::string ResultText(const v1::Job& job) {
  if (job.has_train_result()) return TrainText(job.train_result());
  if (job.has_predict_result()) return PredictText(job.predict_result());
  if (job.has_command_result()) return CommandText(job.command_result());
  if (job.has_noop_result()) {
    return absl::StrCat("result: ", job.noop_result().payload().size(), " bytes\n");
  }
  return "";
}

std::string EndText(const v1::Job& job) {
  std::string text = absl::StrCat("job ", job.id(), " ", StateText(job));
  const std::string& why = job.has_error() ? job.error().message() : job.message();
  if (!why.empty()) absl::StrAppend(&text, ": ", Printable(why));
  return text + "\n";
}

}  // namespace switchyard::cli
