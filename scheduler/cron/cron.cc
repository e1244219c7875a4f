#include "scheduler/cron/cron.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace switchyard::scheduler {
namespace {

// A leap day comes after eight years at the latest.
constexpr int kMostYears = 9;
constexpr absl::Duration kShortestEvery = absl::Seconds(1);

struct FieldForm {
  absl::string_view name;
  int lowest;
  int highest;
  std::vector<absl::string_view> words;  // Of the lowest value and those after it.
};

const std::vector<FieldForm>& Forms() {
  static const auto* const kForms = new std::vector<FieldForm>{
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day", 1, 31, {}},
      {"month",
       1,
       12,
       {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"weekday", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}};
  return *kForms;
}

absl::Status Bad(const FieldForm& form, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("the ", form.name, " \"", text, "\" must be *, ",
                                                 form.lowest, " to ", form.highest,
                                                 ", a range, a step or a list of these"));
}

bool ReadNumber(const FieldForm& form, absl::string_view text, int& value) {
  if (absl::SimpleAtoi(text, &value)) return value >= form.lowest && value <= form.highest;
  const std::string word = absl::AsciiStrToLower(text);
  const auto found = std::find(form.words.begin(), form.words.end(), word);
  value = form.lowest + static_cast<int>(found - form.words.begin());
  return found != form.words.end();
}

// `*`, `3`, `1-5`, each with or without `/STEP`.
absl::StatusOr<uint64_t> ReadTerm(const FieldForm& form, absl::string_view term) {
  std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(term, absl::MaxSplits('/', 1));
  const bool stepped = term.size() != parts.first.size();
  int step = 1;
  if (stepped && (!absl::SimpleAtoi(parts.second, &step) || step < 1)) return Bad(form, term);
  int from = form.lowest;
  int to = form.highest;
  if (parts.first != "*") {
    const std::vector<absl::string_view> ends = absl::StrSplit(parts.first, '-');
    if (ends.size() > 2 || !ReadNumber(form, ends[0], from)) return Bad(form, term);
    if (ends.size() == 2 && !ReadNumber(form, ends[1], to)) return Bad(form, term);
    // `5/10` is 5 and then every tenth; `5` alone is 5.
    if (ends.size() == 1 && !stepped) to = from;
    if (to < from) return Bad(form, term);
  }
  uint64_t bits = 0;
  for (int value = from; value <= to; value += step) bits |= uint64_t{1} << value;
  return bits;
}

absl::StatusOr<uint64_t> ReadField(const FieldForm& form, absl::string_view text) {
  uint64_t bits = 0;
  for (const absl::string_view term : absl::StrSplit(text, ',')) {
    const absl::StatusOr<uint64_t> read = ReadTerm(form, term);
    if (!read.ok()) return read.status();
    bits |= *read;
  }
  return bits;
}

absl::string_view Expand(absl::string_view text) {
  if (text == "@hourly") return "0 * * * *";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  return text;
}

bool Has(uint64_t bits, int value) { return (bits >> value & 1) != 0; }

}  // namespace

absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view name) {
  absl::TimeZone zone = absl::UTCTimeZone();
  if (name.empty() || absl::LoadTimeZone(name, &zone)) return zone;
  return absl::InvalidArgumentError(absl::StrCat("there is no time zone \"", name,
                                                 "\"; an IANA name is expected, as in "
                                                 "Europe/Berlin"));
}

absl::StatusOr<Cron::Fields> Cron::ParseFields(absl::string_view text) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(Expand(text), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != Forms().size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("five fields are expected, MINUTE HOUR DAY MONTH WEEKDAY, or @every DURATION; "
                     "there are ",
                     words.size()));
  }
  Fields fields;
  uint64_t* const bits[] = {&fields.minutes, &fields.hours, &fields.days, &fields.months,
                            &fields.weekdays};
  for (size_t i = 0; i < words.size(); ++i) {
    const absl::StatusOr<uint64_t> read = ReadField(Forms()[i], words[i]);
    if (!read.ok()) return read.status();
    *bits[i] = *read;
  }
  if (Has(fields.weekdays, 7)) fields.weekdays |= 1;
  fields.any_hour = words[1] == "*";
  fields.any_day = words[2] == "*";
  fields.any_weekday = words[4] == "*";
  return fields;
}

absl::StatusOr<Cron> Cron::Parse(absl::string_view text, absl::TimeZone zone, absl::Time anchor) {
  text = absl::StripAsciiWhitespace(text);
  Cron cron;
  cron.zone_ = zone;
  cron.anchor_ = anchor;
  if (absl::ConsumePrefix(&text, "@every")) {
    const bool read = absl::ParseDuration(absl::StripAsciiWhitespace(text), &cron.every_);
    if (read && cron.every_ >= kShortestEvery && cron.every_ != absl::InfiniteDuration()) {
      return cron;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "@every must be followed by a time of 1s or longer, as in @every 10m; it is \"",
        absl::StripAsciiWhitespace(text), "\""));
  }
  const absl::StatusOr<Fields> fields = ParseFields(text);
  if (!fields.ok()) return fields.status();
  cron.fields_ = *fields;
  if (cron.Next(anchor) == absl::InfiniteFuture()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no time \"", text, "\""));
  }
  return cron;
}

absl::Time Cron::Next(absl::Time after) const {
  if (every_ != absl::ZeroDuration()) {
    if (after < anchor_) return anchor_ + every_;
    return anchor_ + absl::Floor(after - anchor_, every_) + every_;
  }
  return fields_.any_hour ? NextByHour(after) : NextByClock(after);
}

absl::Time Cron::Latest(absl::Time after, absl::Time until) const {
  if (every_ != absl::ZeroDuration()) {
    const absl::Time latest = anchor_ + absl::Floor(until - anchor_, every_);
    return latest > after && latest > anchor_ ? latest : absl::InfinitePast();
  }
  absl::Time latest = absl::InfinitePast();
  for (absl::Time next = Next(after); next <= until; next = Next(next)) latest = next;
  return latest;
}

bool Cron::DayMatches(absl::CivilDay day) const {
  if (!Has(fields_.months, day.month())) return false;
  const bool by_day = Has(fields_.days, day.day());
  // absl counts weekdays from Monday.
  const int weekday = (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;
  const bool by_weekday = Has(fields_.weekdays, weekday);
  if (fields_.any_day || fields_.any_weekday) return by_day && by_weekday;
  return by_day || by_weekday;
}

absl::Time Cron::NextByClock(absl::Time after) const {
  const absl::CivilMinute now(zone_.At(after).cs);
  const absl::CivilDay last(absl::CivilYear(now) + kMostYears);
  // A gap moves what it swallows to its end, so the present day and the one before may matter.
  for (absl::CivilDay day = absl::CivilDay(now) - 1; day < last; ++day) {
    if (!DayMatches(day)) continue;
    for (int hour = 0; hour < 24; ++hour) {
      if (!Has(fields_.hours, hour)) continue;
      for (int minute = 0; minute < 60; ++minute) {
        if (!Has(fields_.minutes, minute)) continue;
        const auto info =
            zone_.At(absl::CivilSecond(day.year(), day.month(), day.day(), hour, minute, 0));
        const bool skipped = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
        const absl::Time due = skipped ? info.trans : info.pre;
        if (due > after) return due;
      }
    }
  }
  return absl::InfiniteFuture();
}

absl::Time Cron::NextByHour(absl::Time after) const {
  const absl::CivilYear last = absl::CivilYear(zone_.At(after).cs) + kMostYears;
  absl::Time time = after;
  while (true) {
    // The next whole minute of the zone, whose offset may have seconds in old times only.
    time = absl::FromUnixSeconds(absl::ToUnixSeconds(time) / 60 * 60 + 60);
    const absl::CivilSecond civil = zone_.At(time).cs;
    if (absl::CivilYear(civil) > last) return absl::InfiniteFuture();
    const absl::CivilDay day(civil);
    if (!DayMatches(day)) {
      const auto midnight = zone_.At(absl::CivilSecond(day + 1));
      const absl::Time begin =
          midnight.kind == absl::TimeZone::TimeInfo::SKIPPED ? midnight.trans : midnight.pre;
      time = std::max(begin - absl::Minutes(1), time);
      continue;
    }
    if (Has(fields_.minutes, civil.minute())) return time;
  }
}

}  // namespace switchyard::scheduler
