#include "scheduler/trace/csv_reader.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace switchyard::scheduler {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;
// Beyond this a time is a mistake: a thousand years.
constexpr double kMostSeconds = 3.2e10;
constexpr uint32_t kMostDevices = 1'000'000;

enum Column {
  kArrival,
  kDuration,
  kDevices,
  kMemory,
  kTenant,
  kPriority,
  kKind,
  kModel,
  kTimeout,
  kOutcome,
  kColumns
};
constexpr int kRequired = kKind;
constexpr std::array<absl::string_view, kColumns> kNames = {
    "arrival",  "duration", "devices", "memory",  "tenant",
    "priority", "kind",     "model",   "timeout", "outcome"};

class CsvTrace : public TraceSource {
 public:
  CsvTrace(std::string path, std::ifstream file) : path_(std::move(path)), file_(std::move(file)) {}

  absl::Status ReadHeader() {
    if (!NextLine()) return Fault("is empty; its first line names the columns");
    const std::vector<absl::string_view> names = absl::StrSplit(Line(), ',');
    for (size_t place = 0; place < names.size(); ++place) {
      const absl::string_view name = absl::StripAsciiWhitespace(names[place]);
      const auto found = std::find(kNames.begin(), kNames.end(), name);
      if (found == kNames.end()) {
        return Fault(absl::StrCat("there is no column \"", name,
                                  "\" in a trace; there are: ", absl::StrJoin(kNames, ", ")));
      }
      int& known = places_[found - kNames.begin()];
      if (known >= 0) return Fault(absl::StrCat("column \"", name, "\" is named twice"));
      known = static_cast<int>(place);
    }
    columns_ = names.size();
    for (int column = 0; column < kRequired; ++column) {
      if (places_[column] < 0) {
        return Fault(absl::StrCat("column \"", kNames[column], "\" is missing in the first line"));
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(TraceJob& job) override {
    if (!NextLine()) return false;
    fields_ = absl::StrSplit(Line(), ',');
    if (fields_.size() != columns_) {
      return Fault(absl::StrCat("has ", fields_.size(), " fields; the first line names ", columns_,
                                " columns"));
    }
    job = TraceJob();
    if (absl::Status status = ReadTimes(job); !status.ok()) return status;
    if (absl::Status status = ReadNeeds(job); !status.ok()) return status;
    if (absl::Status status = ReadNames(job); !status.ok()) return status;
    return true;
  }

  const std::vector<std::string>& tenants() const override { return tenants_; }
  const std::vector<std::string>& kinds() const override { return kinds_; }

 private:
  bool NextLine() {
    while (std::getline(file_, line_)) {
      ++number_;
      if (!line_.empty() && line_.back() == '\r') line_.pop_back();
      if (!line_.empty() && line_[0] != '#') return true;
    }
    return false;
  }
  absl::string_view Line() const { return {line_.data(), line_.size()}; }

  absl::Status Fault(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, ":", std::max(number_, 1), ": ", what));
  }
  absl::Status Fault(Column column, absl::string_view expected) const {
    return Fault(absl::StrCat(kNames[column], ": \"", Field(column), "\" is not ", expected));
  }

  // Empty where the column is not there.
  absl::string_view Field(Column column) const {
    if (places_[column] < 0) return "";
    return absl::StripAsciiWhitespace(fields_[places_[column]]);
  }

  absl::Status Seconds(Column column, int64_t& us) const {
    double seconds = 0;
    if (!absl::SimpleAtod(Field(column), &seconds) || !(seconds >= 0 && seconds <= kMostSeconds)) {
      return Fault(column, "a number of seconds from 0 on");
    }
    us = static_cast<int64_t>(seconds * kMicrosecondsPerSecond + 0.5);
    return absl::OkStatus();
  }

  absl::Status ReadTimes(TraceJob& job) {
    int64_t arrival_us = 0;
    if (absl::Status status = Seconds(kArrival, arrival_us); !status.ok()) return status;
    if (first_us_ < 0) first_us_ = last_us_ = arrival_us;
    if (arrival_us < last_us_) {
      return Fault(
          absl::StrFormat("arrival: %s is before the arrival of the line above; sort the "
                          "trace by arrival",
                          Field(kArrival)));
    }
    last_us_ = arrival_us;
    job.arrival_us = arrival_us - first_us_;
    if (absl::Status status = Seconds(kDuration, job.duration_us); !status.ok()) return status;
    job.duration_us = std::max<int64_t>(job.duration_us, 1);
    if (Field(kTimeout).empty()) return absl::OkStatus();
    return Seconds(kTimeout, job.timeout_us);
  }

  absl::Status ReadNeeds(TraceJob& job) {
    if (!absl::SimpleAtoi(Field(kDevices), &job.devices) || job.devices == 0 ||
        job.devices > kMostDevices) {
      return Fault(kDevices, absl::StrCat("a number from 1 to ", kMostDevices));
    }
    if (!ReadBytes(Field(kMemory), job.memory_bytes)) {
      return Fault(kMemory, "a number of bytes, or one with KiB, MiB or GiB");
    }
    int priority = 0;
    if (!absl::SimpleAtoi(Field(kPriority), &priority) || priority < 1 || priority > 9) {
      return Fault(kPriority, "a number from 1 (most urgent) to 9");
    }
    job.priority = static_cast<uint8_t>(priority);
    return absl::OkStatus();
  }

  static bool ReadBytes(absl::string_view text, int64_t& bytes) {
    constexpr std::pair<absl::string_view, int> kUnits[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    int shift = 0;
    for (const auto& [unit, bits] : kUnits) {
      if (absl::ConsumeSuffix(&text, unit)) shift = bits;
    }
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &bytes) || bytes < 0) return false;
    if (bytes > std::numeric_limits<int64_t>::max() >> shift) return false;
    bytes <<= shift;
    return true;
  }

  absl::Status ReadNames(TraceJob& job) {
    if (Field(kTenant).empty()) return Fault(kTenant, "a name");
    job.tenant = Number(Field(kTenant), tenant_numbers_, tenants_);
    const absl::string_view kind = Field(kKind).empty() ? "train" : Field(kKind);
    const uint32_t number = Number(kind, kind_numbers_, kinds_);
    if (number > std::numeric_limits<uint8_t>::max()) return Fault(kKind, "one of 256 kinds");
    job.kind = static_cast<uint8_t>(number);
    if (!Field(kModel).empty()) job.model = 1 + Number(Field(kModel), model_numbers_, models_);
    const absl::string_view outcome = Field(kOutcome);
    if (!outcome.empty() && outcome != "ok" && outcome != "failed") {
      return Fault(kOutcome, "`ok` or `failed`");
    }
    job.fails = outcome == "failed";
    return absl::OkStatus();
  }

  using Numbers = absl::flat_hash_map<std::string, uint32_t>;
  static uint32_t Number(absl::string_view name, Numbers& numbers,
                         std::vector<std::string>& names) {
    const auto [found, made] = numbers.try_emplace(name, static_cast<uint32_t>(names.size()));
    if (made) names.emplace_back(name);
    return found->second;
  }

  const std::string path_;
  std::ifstream file_;
  std::string line_;
  int number_ = 0;
  size_t columns_ = 0;
  std::array<int, kColumns> places_ = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  std::vector<absl::string_view> fields_;
  int64_t first_us_ = -1;
  int64_t last_us_ = -1;
  Numbers tenant_numbers_;
  Numbers kind_numbers_;
  Numbers model_numbers_;
  std::vector<std::string> tenants_;
  std::vector<std::string> kinds_;
  std::vector<std::string> models_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TraceSource>> OpenCsvTrace(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) {
    return absl::NotFoundError(absl::StrCat("cannot open the trace ", path, ": is it there?"));
  }
  auto trace = std::make_unique<CsvTrace>(path, std::move(file));
  if (absl::Status status = trace->ReadHeader(); !status.ok()) return status;
  return trace;
}

absl::Status WriteCsvTrace(TraceSource& trace, const std::string& path) {
  std::ofstream file(path);
  file << "arrival,duration,devices,memory,tenant,priority,kind,model,timeout,outcome\n";
  TraceJob job;
  for (;;) {
    const absl::StatusOr<bool> more = trace.Next(job);
    if (!more.ok()) return more.status();
    if (!*more) break;
    file << absl::StrFormat(
        "%.6f,%.6f,%d,%d,%s,%d,%s,%s,%s,%s\n", job.arrival_us / kMicrosecondsPerSecond,
        job.duration_us / kMicrosecondsPerSecond, job.devices, job.memory_bytes,
        trace.tenants()[job.tenant], job.priority, trace.kinds()[job.kind],
        job.model == 0 ? "" : absl::StrCat("m", job.model),
        job.timeout_us == 0 ? "" : absl::StrCat(job.timeout_us / kMicrosecondsPerSecond),
        job.fails ? "failed" : "ok");
  }
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", path, ": is there room?"));
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
