// Parameters of a prepared statement in PostgreSQL's binary form, scalars and arrays: a thousand
// rows are a dozen array parameters of one statement, so that a commit is a few messages whatever
// it holds.
//
// Not thread-safe. Numbers are parameters from $1 in the order of the calls.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace switchyard::scheduler {

// Object identifiers of the types used (pg_type.dat): they never change between versions.
enum class PostgresType : uint32_t { kBytes = 17, kInteger = 20, kText = 25 };

class Parameters {
 public:
  Parameters& Integer(int64_t value);
  Parameters& Text(absl::string_view value);

  // One array with `value_of(row)` for each row: an int64_t, or a view for text and bytes.
  template <class Rows, class ValueOf>
  Parameters& Array(PostgresType type, const Rows& rows, ValueOf value_of) {
    BeginArray(type, rows.size());
    for (const auto& row : rows) AddElement(value_of(row));
    return *this;
  }

  // As libpq takes them; valid while this lives and is not changed.
  int count() const { return static_cast<int>(values_.size()); }
  std::vector<const char*> pointers() const;
  std::vector<int> lengths() const;

 private:
  void BeginArray(PostgresType type, size_t size);
  void AddElement(int64_t value);
  void AddElement(absl::string_view value);

  std::vector<std::string> values_;
};

}  // namespace switchyard::scheduler
