#include "gateway/web/api_descriptors.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/web/resources.h"
#include "google/protobuf/descriptor.pb.h"

namespace switchyard::gateway {

absl::StatusOr<std::unique_ptr<ApiDescriptors>> ApiDescriptors::Load() {
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromArray(kApiDescriptors.data(), kApiDescriptors.size())) {
    return absl::InternalError("the embedded descriptors do not parse");
  }
  auto result = std::make_unique<ApiDescriptors>();
  for (const auto& proto : set.file()) {
    const auto* file = result->pool_.BuildFile(proto);
    if (file == nullptr) return absl::InternalError(absl::StrCat("cannot build ", proto.name()));
    if (file->package() != "switchyard.v1") continue;
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* commented = file->service(i);
      const auto* linked = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          commented->full_name());
      if (linked == nullptr) {
        return absl::InternalError(absl::StrCat(commented->full_name(), " is not linked in"));
      }
      result->commented_.push_back(commented);
      result->linked_.push_back(linked);
    }
  }
  return result;
}

std::vector<std::string> ApiDescriptors::names() const {
  std::vector<std::string> names;
  for (const auto* service : linked_) names.push_back(service->full_name());
  return names;
}

}  // namespace switchyard::gateway
