#include "worker/start/kind_of.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace switchyard::worker {

const KindTraits* KindOf(absl::string_view serialized_job) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(serialized_job.data()),
      static_cast<int>(serialized_job.size()));
  const KindTraits* kind = nullptr;
  while (const uint32_t tag = input.ReadTag()) {
    // The last member of a oneof on the wire is the one that is set.
    const auto* found = FindKind(
        static_cast<::switchyard::v1::Job::KindCase>(WireFormatLite::GetTagFieldNumber(tag)));
    if (found != nullptr) kind = found;
    if (!WireFormatLite::SkipField(&input, tag)) return nullptr;
  }
  return kind;
}

}  // namespace switchyard::worker
