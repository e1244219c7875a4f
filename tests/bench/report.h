// The figures of one run: a table for people, JSON for programs. Names stay stable. Not
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace switchyard::bench {

struct Row {
  std::string name;
  double value = 0;
  std::string unit;
  std::string conditions;
};

class Report {
 public:
  void Add(Row row);
  // Prints one line at once, so that a long run shows what it has.
  void AddAndPrint(Row row);
  std::string Table() const;
  std::string Json() const;  // {"rows":[{"name","value","unit","conditions"}]}
  absl::Status WriteJson(const std::string& file) const;

 private:
  std::vector<Row> rows_;
};

// The value at rank `share` (0 to 1) of `values`, which are sorted by this. REQUIRES: not empty.
double Percentile(std::vector<double>& values, double share);

}  // namespace switchyard::bench
