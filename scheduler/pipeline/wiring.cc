#include "scheduler/pipeline/wiring.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace switchyard::scheduler {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The message in the job's oneof `result`; null: it has none.
const Message* ResultOf(const v1::Job& job) {
  const auto* oneof = v1::Job::descriptor()->FindOneofByName("result");
  const FieldDescriptor* field = job.GetReflection()->GetOneofFieldDescriptor(job, oneof);
  return field == nullptr ? nullptr : &job.GetReflection()->GetMessage(job, field);
}

absl::StatusOr<std::vector<FieldValue>> ValuesOf(const storage::v1::WiringRecord::Wire& wire,
                                                 const v1::Job& job) {
  if (wire.artifact().empty()) {
    std::vector<FieldValue> values = ReadResult(job, wire.output());
    if (!values.empty()) return values;
    return absl::InvalidArgumentError(
        absl::StrCat("job ", job.id(), " has no `", wire.output(), "` in its result"));
  }
  const auto found = std::find_if(
      job.outputs().begin(), job.outputs().end(),
      [&](const v1::OutputArtifact& output) { return output.name() == wire.artifact(); });
  if (found != job.outputs().end()) return std::vector<FieldValue>{found->sha256()};
  std::string names;
  for (const v1::OutputArtifact& output : job.outputs()) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", output.name());
  }
  return absl::InvalidArgumentError(absl::StrCat("job ", job.id(), " made no artifact \"",
                                                 wire.artifact(),
                                                 "\"; it made: ", names.empty() ? "none" : names));
}

}  // namespace

std::vector<FieldValue> ReadResult(const v1::Job& job, absl::string_view path) {
  const Message* result = ResultOf(job);
  if (result == nullptr) return {};
  const absl::StatusOr<FieldPath> parsed = ParseFieldPath(*result->GetDescriptor(), path);
  return parsed.ok() ? ReadField(*result, *parsed) : std::vector<FieldValue>();
}

absl::Status ApplyWires(
    const storage::v1::WiringRecord& wiring,
    absl::FunctionRef<absl::StatusOr<std::vector<v1::Job>>(uint32_t dependency)> upstream,
    v1::Job& job) {
  for (const auto& wire : wiring.wires()) {
    const absl::StatusOr<FieldPath> path = ParseFieldPath(*v1::Job::descriptor(), wire.field());
    if (!path.ok()) return path.status();
    const absl::StatusOr<std::vector<v1::Job>> jobs = upstream(wire.dependency());
    if (!jobs.ok()) return jobs.status();
    std::vector<FieldValue> all;
    for (const v1::Job& each : *jobs) {
      absl::StatusOr<std::vector<FieldValue>> values = ValuesOf(wire, each);
      if (!values.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(wire.field(), ": ", values.status().message()));
      }
      all.insert(all.end(), values->begin(), values->end());
    }
    if (absl::Status status = WriteField(job, *path, all); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(wire.field(), ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace switchyard::scheduler
