#include "scheduler/trace/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace switchyard::scheduler {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 3600;
constexpr double kDay = 86400;
constexpr double kMebibyte = 1 << 20;

std::string Time(double seconds) {
  if (seconds < 2 * kMinute) return absl::StrFormat("%.1f s", seconds);
  if (seconds < 2 * kHour) return absl::StrFormat("%.1f min", seconds / kMinute);
  if (seconds < 2 * kDay) return absl::StrFormat("%.1f h", seconds / kHour);
  return absl::StrFormat("%.1f d", seconds / kDay);
}

double DecisionsPerSecond(const RunResult& result) {
  return result.decision_s > 0 ? static_cast<double>(result.decisions) / result.decision_s : 0;
}

// A string of ours in JSON; names of tenants and files may hold anything.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&quoted, "\\u%04x", c);
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string ResultJson(const RunResult& r) {
  return absl::StrCat(
      "{\"policy\":", Quoted(r.policy), ",\"jobs\":", r.jobs, ",\"failed\":", r.failed,
      ",\"timed_out\":", r.timed_out, ",\"preemptions\":", r.preemptions,
      ",\"wait_p50_s\":", r.wait_p50_s, ",\"wait_p99_s\":", r.wait_p99_s,
      ",\"mean_wait_s\":", r.mean_wait_s, ",\"mean_completion_s\":", r.mean_completion_s,
      ",\"makespan_s\":", r.makespan_s, ",\"utilisation\":", r.utilisation,
      ",\"share_error\":", r.share_error, ",\"share_tenant\":", Quoted(r.share_tenant),
      ",\"peak_waiting\":", r.peak_waiting, ",\"decisions\":", r.decisions,
      ",\"decisions_per_s\":", DecisionsPerSecond(r), ",\"policy_s\":", r.decision_s,
      ",\"run_s\":", r.run_s, ",\"peak_bytes\":", r.peak_bytes, "}");
}

}  // namespace

std::string TableHead() {
  return "| trace | policy | wait p50 | wait p99 | mean completion | makespan | utilisation | "
         "worst "
         "share error | most waiting | preempted | decisions/s | run | memory |\n"
         "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
}

std::string TableRows(const Comparison& comparison) {
  std::string rows;
  for (const RunResult& r : comparison.results) {
    absl::StrAppendFormat(&rows,
                          "| %s | %s | %s | %s | %s | %s | %.1f %% | %.2f %% (%s) | %d | %d | %.0f "
                          "| %.1f s | %.0f MiB "
                          "|\n",
                          comparison.scenario, r.policy, Time(r.wait_p50_s), Time(r.wait_p99_s),
                          Time(r.mean_completion_s), Time(r.makespan_s), r.utilisation * 100,
                          r.share_error * 100, r.share_tenant.empty() ? "none" : r.share_tenant,
                          r.peak_waiting, r.preemptions, DecisionsPerSecond(r), r.run_s,
                          r.peak_bytes / kMebibyte);
  }
  return rows;
}

std::string Verdict(const Comparison& comparison) {
  if (comparison.losses.empty()) {
    return absl::StrCat(comparison.scenario, ": nothing lost\n");
  }
  std::string lines;
  for (const std::string& loss : comparison.losses) {
    absl::StrAppend(&lines, comparison.scenario, ": ", loss, "\n");
  }
  return lines;
}

std::string Json(const std::vector<Comparison>& comparisons) {
  std::string json = "{\"comparisons\":[";
  for (size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& one = comparisons[i];
    absl::StrAppend(&json, i == 0 ? "" : ",", "\n{\"trace\":", Quoted(one.scenario),
                    ",\"results\":[");
    for (size_t j = 0; j < one.results.size(); ++j) {
      absl::StrAppend(&json, j == 0 ? "" : ",\n ", ResultJson(one.results[j]));
    }
    absl::StrAppend(&json, "],\"losses\":[");
    for (size_t j = 0; j < one.losses.size(); ++j) {
      absl::StrAppend(&json, j == 0 ? "" : ",", Quoted(one.losses[j]));
    }
    absl::StrAppend(&json, "]}");
  }
  return json + "\n]}\n";
}

}  // namespace switchyard::scheduler
