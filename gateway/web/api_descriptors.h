// The public services out of the descriptors embedded in the binary: every service of package
// switchyard.v1.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"

namespace switchyard::gateway {

class ApiDescriptors {
 public:
  // INTERNAL when what was embedded is no descriptor set, or the binary lacks one of its services'
  // messages.
  static absl::StatusOr<std::unique_ptr<ApiDescriptors>> Load();

  // Linked into the binary: for messages at work.
  const std::vector<const google::protobuf::ServiceDescriptor*>& linked() const { return linked_; }
  // The same services with their comments: for descriptions.
  const std::vector<const google::protobuf::ServiceDescriptor*>& commented() const {
    return commented_;
  }
  std::vector<std::string> names() const;

 private:
  google::protobuf::DescriptorPool pool_;
  std::vector<const google::protobuf::ServiceDescriptor*> linked_;
  std::vector<const google::protobuf::ServiceDescriptor*> commented_;
};

}  // namespace switchyard::gateway
