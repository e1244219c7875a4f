#include "scheduler/validation/field_faults.h"

#include "absl/strings/str_cat.h"
#include "scheduler/validation/excerpt.h"

namespace switchyard::scheduler {

void FieldFaults::SetIndex(size_t index) {
  indexed_ = true;
  index_ = index;
}

void FieldFaults::Add(absl::string_view field, absl::string_view description) {
  if (full()) return;
  FieldViolation& fault = faults_.emplace_back(
      FieldViolation{std::string(Excerpt(Path(field))), std::string(Excerpt(description))});
  bytes_ += fault.field.size() + fault.description.size();
}

void FieldFaults::Take(const FieldFaults& other) {
  for (const FieldViolation& fault : other.faults_) {
    if (full()) return;
    faults_.push_back(fault);
    bytes_ += fault.field.size() + fault.description.size();
  }
}

std::string FieldFaults::Path(absl::string_view field) const {
  std::string path = root_;
  if (indexed_) absl::StrAppend(&path, "[", index_, "]");
  if (!field.empty()) absl::StrAppend(&path, ".", field);
  return path;
}

absl::Status FieldFaults::ToStatus() const {
  return faults_.empty() ? absl::OkStatus() : InvalidFields(faults_);
}

}  // namespace switchyard::scheduler
