#include "scheduler/store/postgres/parameters.h"

#include <endian.h>

#include <cstring>

namespace switchyard::scheduler {
namespace {

void Append32(std::string& out, uint32_t value) {
  const uint32_t big_endian = htobe32(value);
  out.append(reinterpret_cast<const char*>(&big_endian), sizeof(big_endian));
}

void Append64(std::string& out, int64_t value) {
  const uint64_t big_endian = htobe64(static_cast<uint64_t>(value));
  out.append(reinterpret_cast<const char*>(&big_endian), sizeof(big_endian));
}

}  // namespace

Parameters& Parameters::Integer(int64_t value) {
  Append64(values_.emplace_back(), value);
  return *this;
}

Parameters& Parameters::Text(absl::string_view value) {
  values_.emplace_back(value.data() == nullptr ? "" : value.data(), value.size());
  return *this;
}

// array_send in PostgreSQL's arrayfuncs.c: dimensions, whether there are nulls, the element's type,
// then for each dimension its size and first index, then each element with its length.
void Parameters::BeginArray(PostgresType type, size_t size) {
  std::string& out = values_.emplace_back();
  Append32(out, 1);
  Append32(out, 0);
  Append32(out, static_cast<uint32_t>(type));
  Append32(out, static_cast<uint32_t>(size));
  Append32(out, 1);
}

void Parameters::AddElement(int64_t value) {
  Append32(values_.back(), sizeof(value));
  Append64(values_.back(), value);
}

void Parameters::AddElement(absl::string_view value) {
  Append32(values_.back(), static_cast<uint32_t>(value.size()));
  values_.back().append(value.data() == nullptr ? "" : value.data(), value.size());
}

std::vector<const char*> Parameters::pointers() const {
  std::vector<const char*> pointers;
  for (const std::string& value : values_) pointers.push_back(value.data());
  return pointers;
}

std::vector<int> Parameters::lengths() const {
  std::vector<int> lengths;
  for (const std::string& value : values_) lengths.push_back(static_cast<int>(value.size()));
  return lengths;
}

}  // namespace switchyard::scheduler
