#include "cli/format/pipeline_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string Ago(const google::protobuf::Timestamp& time, absl::Time now) {
  return absl::StrCat(DurationText(now - ToTime(time)), " ago");
}

// The names of the steps a step follows.
std::set<std::string> Upstream(const v1::PipelineStep& step) {
  std::set<std::string> names(step.after().begin(), step.after().end());
  for (const v1::StepInput& input : step.inputs()) {
    if (input.has_output()) names.insert(input.output().step());
    if (input.has_artifact()) names.insert(input.artifact().step());
  }
  const v1::ForEach& each = step.for_each();
  if (each.items_case() == v1::ForEach::kStep) names.insert(each.step());
  if (each.has_output()) names.insert(each.output().step());
  if (each.has_artifacts()) names.insert(each.artifacts().step());
  return names;
}

// How many steps come before each on its longest way from the beginning.
std::vector<int> Depths(const v1::Pipeline& pipeline) {
  std::map<std::string, int> places;
  for (int i = 0; i < pipeline.steps_size(); ++i) places[pipeline.steps(i).name()] = i;
  std::vector<int> depths(pipeline.steps_size());
  for (int look = 0; look < pipeline.steps_size(); ++look) {
    for (int i = 0; i < pipeline.steps_size(); ++i) {
      for (const std::string& name : Upstream(pipeline.steps(i))) {
        if (places.count(name) != 0) depths[i] = std::max(depths[i], depths[places[name]] + 1);
      }
    }
  }
  return depths;
}

// One sign that can be seen from afar.
absl::string_view Mark(const v1::StepStatus& status) {
  if (status.failed() > 0) return "x";
  if (status.running() > 0) return ">";
  if (status.cancelled() > 0) return "-";
  if (status.jobs() > 0 && status.succeeded() == status.jobs()) return "*";
  return status.queued() > 0 ? "o" : ".";
}

std::string Counts(const v1::StepStatus& status) {
  if (status.first_job().empty() && status.jobs() == 0) return "not known yet";
  std::vector<std::string> parts;
  const auto add = [&](uint32_t count, absl::string_view what) {
    if (count > 0) parts.push_back(absl::StrCat(count, " ", what));
  };
  add(status.succeeded(), "done");
  add(status.running(), "running");
  add(status.queued(), "queued");
  add(status.blocked(), "waiting");
  add(status.failed(), "failed");
  add(status.cancelled(), "cancelled");
  return parts.empty() ? "no jobs" : absl::StrJoin(parts, ", ");
}

std::string StateName(const v1::Pipeline& pipeline) {
  return v1::Pipeline::State_Name(pipeline.state());
}

}  // namespace

std::string PipelineText(const v1::Pipeline& pipeline, absl::Time now) {
  std::string text = absl::StrCat("pipeline ", pipeline.id(), pipeline.name().empty() ? "" : " ",
                                  Printable(pipeline.name()), ": ", StateName(pipeline));
  if (pipeline.has_create_time())
    absl::StrAppend(&text, ", made ", Ago(pipeline.create_time(), now));
  text += "\n";
  if (!pipeline.message().empty()) absl::StrAppend(&text, Printable(pipeline.message()), "\n");
  const std::vector<int> depths = Depths(pipeline);
  std::vector<int> order(pipeline.steps_size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return depths[a] < depths[b]; });
  Table table({"STEP", "JOBS", "FIRST JOB", "AFTER"});
  for (const int i : order) {
    const v1::PipelineStep& step = pipeline.steps(i);
    table.Add({absl::StrCat(std::string(2 * depths[i], ' '), Mark(step.status()), " ", step.name()),
               Counts(step.status()), step.status().first_job(),
               absl::StrJoin(Upstream(step), ", ")});
  }
  return text + table.Text() + "* done  > running  o queued  . waiting  x failed  - cancelled\n";
}

std::string PipelinesTable(const google::protobuf::RepeatedPtrField<v1::Pipeline>& pipelines,
                           absl::Time now) {
  Table table({"PIPELINE", "NAME", "STATE", ">STEPS", ">DONE", ">JOBS", ">MADE"});
  for (const v1::Pipeline& pipeline : pipelines) {
    uint32_t jobs = 0;
    uint32_t done = 0;
    for (const v1::PipelineStep& step : pipeline.steps()) {
      jobs += step.status().jobs();
      done += step.status().succeeded();
    }
    table.Add({pipeline.id(), pipeline.name(), StateName(pipeline),
               absl::StrCat(pipeline.steps_size()), absl::StrCat(done), absl::StrCat(jobs),
               Ago(pipeline.create_time(), now)});
  }
  return table.empty() ? "no pipelines\n" : table.Text();
}

std::string ArrayText(const v1::Array& array) {
  std::string text =
      absl::StrCat("array ", array.id(), ": ", array.succeeded(), " of ", array.count(), " done");
  const auto add = [&](uint32_t count, absl::string_view what) {
    if (count > 0) absl::StrAppend(&text, ", ", count, " ", what);
  };
  add(array.running(), "running");
  add(array.queued(), "queued");
  add(array.blocked(), "waiting for other jobs");
  add(array.failed(), "failed");
  add(array.cancelled(), "cancelled");
  if (array.width() > 0) absl::StrAppend(&text, "; at most ", array.width(), " at once");
  return text + "\n";
}

std::string ArraysTable(const google::protobuf::RepeatedPtrField<v1::Array>& arrays,
                        absl::Time now) {
  Table table({"ARRAY", ">JOBS", ">WIDTH", ">RUNNING", ">DONE", ">FAILED", ">CANCELLED", ">MADE"});
  for (const v1::Array& array : arrays) {
    table.Add({array.id(), absl::StrCat(array.count()),
               array.width() == 0 ? "all" : absl::StrCat(array.width()),
               absl::StrCat(array.running()), absl::StrCat(array.succeeded()),
               absl::StrCat(array.failed()), absl::StrCat(array.cancelled()),
               Ago(array.create_time(), now)});
  }
  return table.empty() ? "no arrays\n" : table.Text();
}

std::string ScheduleText(const v1::Schedule& schedule, absl::Time now) {
  std::string text = absl::StrCat("schedule ", schedule.name(), ": ", Printable(schedule.cron()));
  if (!schedule.time_zone().empty()) absl::StrAppend(&text, " (", schedule.time_zone(), ")");
  absl::StrAppend(&text, schedule.paused() ? ", paused" : "", "\n", "ran ", schedule.runs(),
                  " times, skipped ", schedule.skipped(), "\n");
  if (schedule.has_last_run()) {
    absl::StrAppend(&text, "last run ", Ago(schedule.last_run(), now), ": ", schedule.last_made(),
                    "\n");
  }
  if (schedule.has_next_run()) {
    absl::StrAppend(&text, "next run in ", DurationText(ToTime(schedule.next_run()) - now), "\n");
  }
  if (!schedule.message().empty()) {
    absl::StrAppend(&text, "last skipped: ", Printable(schedule.message()), "\n");
  }
  return text;
}

std::string SchedulesTable(const google::protobuf::RepeatedPtrField<v1::Schedule>& schedules,
                           absl::Time now) {
  Table table({"SCHEDULE", "CRON", "ZONE", ">RUNS", ">SKIPPED", ">NEXT", "LAST MADE"});
  for (const v1::Schedule& schedule : schedules) {
    std::string next = schedule.paused() ? "paused" : "-";
    if (schedule.has_next_run()) {
      next = absl::StrCat("in ", DurationText(ToTime(schedule.next_run()) - now));
    }
    table.Add({schedule.name(), schedule.cron(),
               schedule.time_zone().empty() ? "UTC" : schedule.time_zone(),
               absl::StrCat(schedule.runs()), absl::StrCat(schedule.skipped()), next,
               schedule.last_made()});
  }
  return table.empty() ? "no schedules\n" : table.Text();
}

}  // namespace switchyard::cli
