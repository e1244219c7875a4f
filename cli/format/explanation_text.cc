#include "cli/format/explanation_text.h"

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

// "in 2 m 03 s (14:05:06)".
std::string WhenText(const google::protobuf::Timestamp& time, absl::Time now) {
  const absl::Time when = FromProto(time);
  const std::string clock = absl::FormatTime("%H:%M:%S", when, absl::LocalTimeZone());
  if (when <= now) return absl::StrCat("now (", clock, ")");
  return absl::StrCat("in ", DurationText(when - now), " (", clock, ")");
}

void Line(std::string* text, absl::string_view name, absl::string_view value) {
  if (!value.empty())
    absl::StrAppendFormat(text, "%-10s %s\n", name, Printable(std::string(value)));
}

std::string PositionText(const v1::Explanation& explanation) {
  if (explanation.position() == 0) return "";
  return absl::StrCat(explanation.position_approximate() ? "about " : "", explanation.position(),
                      " of ", explanation.competing(), " that wait for the same devices");
}

std::string StartText(const v1::Explanation& explanation, absl::Time now) {
  const std::string& basis = explanation.expected_start_basis();
  const std::string why = basis.empty() ? "" : absl::StrCat("; ", basis);
  if (explanation.has_expected_start_time())
    return absl::StrCat(WhenText(explanation.expected_start_time(), now), why);
  // An ended or running job has no start to expect.
  return basis.empty() ? "" : absl::StrCat("unknown", why);
}

std::string MemoryText(const v1::Explanation& explanation) {
  if (explanation.memory_need_bytes() == 0) return "";
  std::string text = absl::StrCat(BytesText(explanation.memory_need_bytes()), " a device (",
                                  explanation.memory_need_source(), ")");
  if (explanation.reason() == v1::Job::MEMORY) {
    absl::StrAppend(&text,
                    "; most that is free on one: ", BytesText(explanation.largest_free_bytes()));
  }
  return text;
}

std::string QuotaText(const v1::Explanation::Quota& quota) {
  return absl::StrFormat("%s of %s: %.15g of %.15g", quota.name(), quota.subject(), quota.used(),
                         quota.limit());
}

std::string PlacesTable(const v1::Explanation& explanation, absl::Time now) {
  Table table(
      {"WORKER", "DEVICE", ">RUNNING", ">AHEAD", ">LIMIT", ">FREE MEMORY", "WHY NOT", "ROOM"});
  for (const v1::Explanation::Place& place : explanation.places()) {
    const bool counted = place.memory_free_bytes() != 0 || place.reason() == v1::Job::MEMORY;
    table.Add(
        {place.worker(), place.device(), absl::StrCat(place.running()),
         absl::StrCat(place.assigned()), absl::StrCat(place.limit()),
         counted ? BytesText(place.memory_free_bytes()) : "",
         place.reason() == v1::Job::REASON_UNSPECIFIED
             ? ""
             : Words(v1::Job::Reason_Name(place.reason())),
         place.has_expected_room_time() ? WhenText(place.expected_room_time(), now) : "unknown"});
  }
  std::string text = table.Text();
  const int more = static_cast<int>(explanation.places_total()) - explanation.places_size();
  if (more > 0) absl::StrAppend(&text, "... and ", more, " more\n");
  return text;
}

}  // namespace

std::string ExplanationText(const v1::Explanation& explanation, absl::Time now) {
  std::string text;
  std::string state = v1::Job::State_Name(explanation.state());
  if (explanation.reason() != v1::Job::REASON_UNSPECIFIED)
    absl::StrAppend(&state, " (", Words(v1::Job::Reason_Name(explanation.reason())), ")");
  Line(&text, "job", explanation.job());
  Line(&text, "state", state);
  Line(&text, "why", explanation.message());
  for (const auto& quota : explanation.quotas()) Line(&text, "count", QuotaText(quota));
  Line(&text, "paused", explanation.paused_by());
  if (explanation.has_until()) Line(&text, "not before", WhenText(explanation.until(), now));
  Line(&text, "waits for", absl::StrJoin(explanation.depends_on(), " "));
  Line(&text, "workers", absl::StrJoin(explanation.workers(), " "));
  Line(&text, "there are", absl::StrJoin(explanation.existing_devices(), ", "));
  Line(&text, "memory", MemoryText(explanation));
  Line(&text, "position", PositionText(explanation));
  if (explanation.has_expected_run())
    Line(&text, "runs for",
         absl::StrCat("about ", DurationText(FromProto(explanation.expected_run()))));
  Line(&text, "starts", StartText(explanation, now));
  if (explanation.places_size() > 0) absl::StrAppend(&text, "\n", PlacesTable(explanation, now));
  return text;
}

}  // namespace switchyard::cli
