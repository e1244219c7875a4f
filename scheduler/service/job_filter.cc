#include "scheduler/service/job_filter.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/kind/kind.h"
#include "common/status/error.h"
#include "scheduler/validation/excerpt.h"

namespace switchyard::scheduler {
namespace {

constexpr char kForm[] =
    "state = STATE, kind = KIND, reason = REASON, array = ID, pipeline = ID and labels.NAME = "
    "VALUE, joined by AND, are expected";

absl::Status Bad(absl::string_view what) {
  return InvalidField("filter", absl::StrCat(Excerpt(what), "; ", kForm));
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : rest_(text) {}

  absl::StatusOr<JobFilter> Parse() {
    SkipSpace();
    if (rest_.empty()) return filter_;
    while (true) {
      if (absl::Status status = ReadTerm(); !status.ok()) return status;
      SkipSpace();
      if (rest_.empty()) return filter_;
      if (ReadWord() != "AND") return Bad("only AND may stand between terms");
    }
  }

 private:
  void SkipSpace() { rest_ = absl::StripLeadingAsciiWhitespace(rest_); }

  // Up to a space, a quote or an operator.
  absl::string_view ReadWord() {
    SkipSpace();
    size_t end = 0;
    while (end < rest_.size() && !absl::ascii_isspace(rest_[end]) &&
           !absl::StrContains("=!<>:\"()", rest_[end]))
      ++end;
    const absl::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }

  // A word or a quoted string, in which a backslash takes the next character as it is.
  std::optional<std::string> ReadValue() {
    SkipSpace();
    if (!absl::ConsumePrefix(&rest_, "\"")) {
      const absl::string_view word = ReadWord();
      if (word.empty()) return std::nullopt;
      return std::string(word);
    }
    std::string value;
    while (!rest_.empty() && rest_[0] != '"') {
      if (rest_[0] == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      value += rest_[0];
      rest_.remove_prefix(1);
    }
    if (!absl::ConsumePrefix(&rest_, "\"")) return std::nullopt;
    return value;
  }

  absl::Status ReadTerm() {
    const absl::string_view name = ReadWord();
    if (name.empty()) return Bad("a name is missing");
    SkipSpace();
    if (!absl::ConsumePrefix(&rest_, "=")) return Bad(absl::StrCat("= must follow \"", name, "\""));
    const std::optional<std::string> value = ReadValue();
    if (!value)
      return Bad(absl::StrCat("the value of \"", name, "\" is missing or its quote is not closed"));
    if (name == "state") return TakeState(*value);
    if (name == "kind") return TakeKind(*value);
    if (name == "reason") return TakeReason(*value);
    if (name == "array") return TakeArray(*value);
    if (name == "pipeline") return TakePipeline(*value);
    absl::string_view label = name;
    if (!absl::ConsumePrefix(&label, "labels."))
      return Bad(absl::StrCat("\"", name, "\" cannot be filtered by"));
    filter_.labels.emplace_back(std::string(label), *value);
    return absl::OkStatus();
  }

  absl::Status TakeState(const std::string& value) {
    v1::Job::State state;
    if (!v1::Job::State_Parse(value, &state) || state == v1::Job::STATE_UNSPECIFIED) {
      return Bad(absl::StrCat("\"", value, "\" is no state"));
    }
    const uint32_t bit = 1u << state;
    if (filter_.states != 0 && filter_.states != bit) filter_.nothing = true;
    filter_.states = bit;
    return absl::OkStatus();
  }

  absl::Status TakeKind(const std::string& value) {
    const KindTraits* kind = FindKind(value);
    if (kind == nullptr) return Bad(absl::StrCat("\"", value, "\" is no kind"));
    if (filter_.kind != 0 && filter_.kind != static_cast<uint32_t>(kind->field))
      filter_.nothing = true;
    filter_.kind = kind->field;
    return absl::OkStatus();
  }

  absl::Status TakeReason(const std::string& value) {
    v1::Job::Reason reason;
    if (!v1::Job::Reason_Parse(value, &reason) || reason == v1::Job::REASON_UNSPECIFIED) {
      return Bad(absl::StrCat("\"", value, "\" is no reason"));
    }
    const auto number = static_cast<uint32_t>(reason);
    if (filter_.reason != 0 && filter_.reason != number) filter_.nothing = true;
    filter_.reason = number;
    return absl::OkStatus();
  }

  absl::Status TakeArray(const std::string& value) {
    const std::optional<JobId> id = ParseJobId(value);
    if (!id) return Bad(absl::StrCat("\"", value, "\" is no id of an array"));
    if (filter_.array != 0 && filter_.array != *id) filter_.nothing = true;
    filter_.array = *id;
    return absl::OkStatus();
  }

  absl::Status TakePipeline(const std::string& value) {
    if (!ParseJobId(value)) return Bad(absl::StrCat("\"", value, "\" is no id of a pipeline"));
    if (!filter_.pipeline.empty() && filter_.pipeline != value) filter_.nothing = true;
    filter_.pipeline = value;
    return absl::OkStatus();
  }

  absl::string_view rest_;
  JobFilter filter_;
};

}  // namespace

bool JobFilter::Matches(const v1::Job& job) const {
  if (nothing || (states != 0 && (states >> job.state() & 1) == 0)) return false;
  if (kind != 0 && static_cast<uint32_t>(job.kind_case()) != kind) return false;
  if (reason != 0 && static_cast<uint32_t>(job.reason()) != reason) return false;
  if (array != 0 && job.array() != FormatJobId(array)) return false;
  for (const auto& [name, value] : labels) {
    const auto label = job.labels().find(name);
    if (label == job.labels().end() || label->second != value) return false;
  }
  return true;
}

absl::StatusOr<JobFilter> ParseJobFilter(absl::string_view text) { return Parser(text).Parse(); }

}  // namespace switchyard::scheduler
