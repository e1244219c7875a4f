#include "scheduler/service/explanation_view.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/id/job_id.h"
#include "common/kind/kind.h"
#include "scheduler/service/admin_view.h"

namespace switchyard::scheduler {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

template <typename Proto>
void SetMicros(int64_t micros, Proto* proto) {
  proto->set_seconds(micros / kMicrosPerSecond);
  proto->set_nanos(static_cast<int32_t>(micros % kMicrosPerSecond * 1000));
}

std::string TimeText(int64_t micros) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMicros(micros), absl::UTCTimeZone());
}

std::string KindName(uint16_t number) {
  const KindTraits* kind = FindKind(static_cast<v1::Job::KindCase>(number));
  return kind == nullptr ? "this" : std::string(kind->name);
}

// "cpu (worker-a): 2 of 2", the busiest few.
std::string PlacesText(const Explanation& explanation) {
  constexpr size_t kMostTold = 4;
  std::string text = absl::StrJoin(
      explanation.places.begin(),
      explanation.places.begin() +
          static_cast<ptrdiff_t>(std::min(explanation.places.size(), kMostTold)),
      ", ", [](std::string* out, const ExplainedPlace& place) {
        absl::StrAppend(out, place.device.empty() ? "" : absl::StrCat(place.device, " of "),
                        place.worker, " runs ", place.running, " of ", place.limit);
      });
  if (explanation.places_total > kMostTold)
    absl::StrAppend(&text, " and ", explanation.places_total - kMostTold, " more");
  return text;
}

std::string CountsText(const Explanation& explanation) {
  return absl::StrJoin(explanation.counts, ", ", [](std::string* out, const ExplainedCount& count) {
    absl::StrAppend(out, count.name, " of ", count.subject, " is ", count.used, " of ",
                    count.limit);
  });
}

// A gang larger than a cap waits for ever.
const ExplainedCount* NeverUnder(const Explanation& explanation) {
  for (const ExplainedCount& count : explanation.counts) {
    if (absl::EndsWith(count.name, ".max_running") && explanation.device_count > count.limit)
      return &count;
  }
  return nullptr;
}

std::string HeldText(const Explanation& explanation) {
  if (const ExplainedCount* count = NeverUnder(explanation); count != nullptr) {
    return absl::StrCat("never starts: it needs ", explanation.device_count,
                        " devices at once, and ", count->name, " of ", count->subject, " is ",
                        count->limit, "; raise that, or cancel it and ask for fewer");
  }
  std::string text = absl::StrCat("held back: ", CountsText(explanation));
  if (explanation.cap_kept_for != 0) {
    absl::StrAppend(&text, "; what is left of it is kept for a job that needs ",
                    explanation.cap_kept_for, " devices at once and has waited long");
  }
  return text;
}

std::string PausesText(const Explanation& explanation) {
  return absl::StrJoin(explanation.pauses, ", ", [](std::string* out, const PauseRule& rule) {
    out->append(PauseText(rule));
  });
}

std::string NoDeviceText(const Explanation& explanation) {
  std::string text = absl::StrCat("no attached worker runs ", KindName(explanation.kind),
                                  " jobs on device `", explanation.device, "`; ");
  if (explanation.existing_devices.empty()) return text + "no worker is attached";
  return text + "there are: " + absl::StrJoin(explanation.existing_devices, ", ");
}

std::string GangText(const Explanation& explanation) {
  if (explanation.places_total < explanation.device_count) {
    return absl::StrCat("needs ", explanation.device_count, " devices at once, and only ",
                        explanation.places_total,
                        " that fit are attached and take work; attach more or ask for fewer");
  }
  std::string text = absl::StrCat("needs ", explanation.device_count, " devices at once, ",
                                  explanation.devices_free, " are free");
  if (explanation.until_us != 0)
    absl::StrAppend(&text, "; they are expected by ", TimeText(explanation.until_us));
  return text;
}

std::string MemoryText(const Explanation& explanation) {
  return absl::StrCat("needs ", explanation.memory_need_bytes,
                      " bytes of memory on a device; the most that is free on one is ",
                      explanation.largest_free_bytes);
}

std::string DependsText(const Explanation& explanation) {
  return absl::StrCat("waits for ", explanation.depends_on.size(), " jobs: ",
                      absl::StrJoin(explanation.depends_on, " ", [](std::string* out, JobId job) {
                        out->append(FormatJobId(job));
                      }));
}

std::string WorkersText(const Explanation& explanation, absl::string_view what) {
  return absl::StrCat("every fitting worker ", what, ": ",
                      absl::StrJoin(explanation.workers, ", "));
}

std::string WaitText(const Explanation& explanation) {
  switch (explanation.reason) {
    case Reason::kNone:
      return explanation.basis == StartBasis::kRoomNow ? "a fitting place is free" : "";
    case Reason::kBackoff:
      return absl::StrCat("waits until ", TimeText(explanation.until_us),
                          " before the next attempt after a failed one");
    case Reason::kNotBefore:
      return absl::StrCat("its not_before is ", TimeText(explanation.until_us));
    case Reason::kPaused:
      return absl::StrCat("paused by an operator: ", PausesText(explanation));
    case Reason::kLimit:
      return absl::StrCat("every fitting place is at its limit: ", PlacesText(explanation));
    case Reason::kPreempted:
      return absl::StrCat("gave its device to more urgent work; ", PlacesText(explanation));
    case Reason::kMemory:
      return MemoryText(explanation);
    case Reason::kGang:
      return GangText(explanation);
    case Reason::kReserved:
      return absl::StrCat("of the fitting devices ", explanation.devices_free,
                          " are free, and kept for a job that needs several at once");
    case Reason::kQuota:
    case Reason::kKeyLimit:
    case Reason::kArrayWidth:
      return HeldText(explanation);
    case Reason::kUrgentShare:
      return absl::StrCat("urgent work has had its share of the fitting places (",
                          explanation.counts.empty() ? 0 : explanation.counts.front().limit,
                          " %) while other work waits");
    case Reason::kNoDevice:
      return NoDeviceText(explanation);
    case Reason::kAssigned:
      return absl::StrCat("handed to a worker and starts there in its turn: ",
                          PlacesText(explanation));
    case Reason::kDependencies:
      return DependsText(explanation);
    case Reason::kHostBusy:
      return WorkersText(explanation, "is on a host above its memory or CPU ceiling");
    case Reason::kCordoned:
      return WorkersText(explanation, "is cordoned");
    default:
      return "";
  }
}

absl::string_view BasisText(const Explanation& explanation) {
  switch (explanation.basis) {
    case StartBasis::kNone:
      return "";
    case StartBasis::kRoomNow:
      return "a place is free and nothing comes before it";
    case StartBasis::kRunTimes:
      return "by the expected run times of what runs and what comes before it";
    case StartBasis::kRunningUnknown:
      return "nobody knows how long the jobs on the fitting places will run";
    case StartBasis::kAheadUnknown:
      return "nobody knows how long the jobs before it will run";
    case StartBasis::kHeld:
      return "what holds it back must be lifted first";
    case StartBasis::kNotYet:
      return "it joins the order later";
    case StartBasis::kNoPlace:
      return "nothing that fits is attached";
  }
  return "";
}

absl::string_view SourceName(NeedSource source) {
  switch (source) {
    case NeedSource::kStated:
      return "stated";
    case NeedSource::kLearned:
      return "learned";
    case NeedSource::kDefault:
      return "default";
    case NeedSource::kUnknown:
      return "unknown";
  }
  return "unknown";
}

void AddPlace(const ExplainedPlace& place, v1::Explanation* message) {
  v1::Explanation::Place* added = message->add_places();
  added->set_worker(place.worker);
  added->set_device(place.device);
  added->set_running(place.running);
  added->set_assigned(place.assigned);
  added->set_limit(place.limit);
  added->set_memory_free_bytes(place.memory_free_bytes);
  added->set_reason(static_cast<v1::Job::Reason>(place.reason));
  if (place.room_us != kNever) SetMicros(place.room_us, added->mutable_expected_room_time());
}

void AddLists(const Explanation& explanation, v1::Explanation* message) {
  for (const ExplainedPlace& place : explanation.places) AddPlace(place, message);
  for (const std::string& device : explanation.existing_devices)
    message->add_existing_devices(device);
  for (const ExplainedCount& count : explanation.counts) {
    v1::Explanation::Quota* quota = message->add_quotas();
    quota->set_name(count.name);
    quota->set_subject(count.subject);
    quota->set_used(count.used);
    quota->set_limit(count.limit);
  }
  for (const JobId job : explanation.depends_on) message->add_depends_on(FormatJobId(job));
  for (const std::string& worker : explanation.workers) message->add_workers(worker);
}

std::string StateText(const Explanation& explanation) {
  if (explanation.state == JobState::kRunning) return "it runs";
  if (explanation.state == JobState::kCancelling) return "it is being ended";
  return WaitText(explanation);
}

}  // namespace

void WriteExplanation(const Explanation& explanation, v1::Explanation* message) {
  if (explanation.job != 0) message->set_job(FormatJobId(explanation.job));
  message->set_state(static_cast<v1::Job::State>(explanation.state));
  message->set_reason(static_cast<v1::Job::Reason>(explanation.reason));
  message->set_message(StateText(explanation));
  message->set_position(explanation.position);
  message->set_position_approximate(explanation.approximate);
  message->set_competing(explanation.competing);
  if (explanation.start_us != kNever)
    SetMicros(explanation.start_us, message->mutable_expected_start_time());
  const absl::string_view basis = BasisText(explanation);
  message->set_expected_start_basis(std::string(basis));
  if (explanation.until_us != 0) SetMicros(explanation.until_us, message->mutable_until());
  message->set_device_count(explanation.device_count);
  message->set_device(explanation.device);
  message->set_places_total(explanation.places_total);
  message->set_memory_need_bytes(explanation.memory_need_bytes);
  message->set_memory_need_source(std::string(SourceName(explanation.memory_source)));
  message->set_largest_free_bytes(explanation.largest_free_bytes);
  message->set_paused_by(PausesText(explanation));
  message->set_devices_free(explanation.devices_free);
  if (explanation.expected_run_us != 0)
    SetMicros(explanation.expected_run_us, message->mutable_expected_run());
  AddLists(explanation, message);
}

void WriteExplanation(const JobImage& ended, v1::Explanation* message) {
  message->set_job(FormatJobId(ended.id));
  message->set_state(static_cast<v1::Job::State>(ended.state));
  message->set_reason(static_cast<v1::Job::Reason>(ended.reason));
  message->set_message(ended.message.empty() ? "it has ended" : ended.message);
  message->set_device(ended.device);
}

}  // namespace switchyard::scheduler
