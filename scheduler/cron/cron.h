// Times that come again and again, from text: `MINUTE HOUR DAY MONTH WEEKDAY`, `@every 10m`,
// `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
//
// Fields are `*`, a number, a range `1-5`, a step `*/15` or `10-50/10`, or a list of these; months
// and weekdays also by their first three letters; weekday 0 and 7 are Sunday. When day and weekday
// are both given, either is enough (POSIX crontab).
//
// Daylight saving: a time at a set hour that a clock skips fires once, when the clock has skipped
// it; one that comes twice fires the first time. With `*` for the hour, every hour that really
// passes counts, the doubled one twice.
//
// Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace switchyard::scheduler {

class Cron {
 public:
  // `anchor`: when `@every` begins to count. INVALID_ARGUMENT naming the field, or when there is no
  // such time.
  static absl::StatusOr<Cron> Parse(absl::string_view text, absl::TimeZone zone, absl::Time anchor);

  // The first due time after `after`; InfiniteFuture when there is none in nine years.
  absl::Time Next(absl::Time after) const;
  // The last due time in (after, until]; InfinitePast when there is none.
  absl::Time Latest(absl::Time after, absl::Time until) const;

 private:
  struct Fields {
    uint64_t minutes = 0;  // Bit N: fires at N.
    uint64_t hours = 0;
    uint64_t days = 0;
    uint64_t months = 0;
    uint64_t weekdays = 0;  // 0: Sunday.
    bool any_hour = false;
    bool any_day = false;  // `*`, and so the following.
    bool any_weekday = false;
  };
  Cron() = default;
  static absl::StatusOr<Fields> ParseFields(absl::string_view text);
  bool DayMatches(absl::CivilDay day) const;
  absl::Time NextByClock(absl::Time after) const;
  absl::Time NextByHour(absl::Time after) const;

  absl::Duration every_;  // 0: by fields.
  absl::Time anchor_;
  absl::TimeZone zone_;
  Fields fields_;
};

// `Europe/Berlin`; empty: UTC. INVALID_ARGUMENT.
absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view name);

}  // namespace switchyard::scheduler
