#include "tests/bench/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/log/log.h"

namespace switchyard::bench {
namespace {

std::string ValueText(double value) {
  return std::abs(value) >= 100 ? absl::StrFormat("%.0f", value) : absl::StrFormat("%.3g", value);
}

std::string Line(const Row& row) {
  return absl::StrFormat("%-28s %10s %-8s %s\n", row.name, ValueText(row.value), row.unit,
                         row.conditions);
}

}  // namespace

void Report::Add(Row row) { rows_.push_back(std::move(row)); }

void Report::AddAndPrint(Row row) {
  std::fputs(Line(row).c_str(), stdout);
  std::fflush(stdout);
  Add(std::move(row));
}

std::string Report::Table() const {
  std::string table;
  for (const Row& row : rows_) table += Line(row);
  return table;
}

std::string Report::Json() const {
  const std::string rows = absl::StrJoin(rows_, ",\n", [](std::string* out, const Row& row) {
    absl::StrAppend(out, " {\"name\":", JsonQuote(row.name), ",\"value\":", row.value,
                    ",\"unit\":", JsonQuote(row.unit),
                    ",\"conditions\":", JsonQuote(row.conditions), "}");
  });
  return absl::StrCat("{\"rows\":[\n", rows, "\n]}\n");
}

absl::Status Report::WriteJson(const std::string& file) const {
  std::ofstream out(file, std::ios::trunc);
  out << Json();
  out.close();
  return out ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrCat("cannot write ", file));
}

double Percentile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  const double rank = share * static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(rank + 0.5)];
}

}  // namespace switchyard::bench
