#include "scheduler/pipeline/step_sample.h"

#include <string>

#include "absl/strings/match.h"

namespace switchyard::scheduler {
namespace {

// Something of the field's form.
FieldValue StandIn(const FieldPath& path) {
  switch (TypeOf(path.last())) {
    case ValueType::kWhole:
      return int64_t{1};
    case ValueType::kReal:
      return 1.0;
    case ValueType::kBool:
      return true;
    default:
      break;
  }
  const std::string& name = path.last().name();
  if (absl::StrContains(name, "artifact") || name == "sha256") return std::string(64, 'a');
  const bool source = path.last().containing_type() == v1::Source::descriptor();
  return std::string(source && name == "path" ? "/x" : "x");
}

}  // namespace

void FillSample(const v1::PipelineStep& step, int item, const std::vector<LateField>& fields,
                v1::Job& job, FieldFaults& faults) {
  for (const LateField& field : fields) {
    const ValueType type = TypeOf(field.path.last());
    absl::StatusOr<FieldValue> value = StandIn(field.path);
    const bool known = field.input->has_item() && step.for_each().has_values() &&
                       item < step.for_each().values().values_size();
    if (known) value = ParseValue(step.for_each().values().values(item), type);
    const absl::Status status = value.ok() ? WriteField(job, field.path, {*value}) : value.status();
    if (!status.ok()) faults.Add(field.input->field(), status.message());
  }
}

void ClearSample(v1::Job& job, const FieldPath& path) {
  google::protobuf::Message* at = &job;
  for (size_t i = 0; i + 1 < path.parts.size(); ++i) {
    const auto& [field, index] = path.parts[i];
    const auto& reflection = *at->GetReflection();
    if (index >= 0 && index >= reflection.FieldSize(*at, field)) return;
    at = index >= 0 ? reflection.MutableRepeatedMessage(at, field, index)
                    : reflection.MutableMessage(at, field);
  }
  at->GetReflection()->ClearField(at, path.parts.back().field);
}

}  // namespace switchyard::scheduler
