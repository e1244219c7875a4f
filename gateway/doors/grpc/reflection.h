// Reflection answered from the descriptors linked into this binary, for public services only.
// Immutable; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace switchyard::gateway {

class Reflection {
 public:
  // Full names of the services to tell of; those that are not linked in are left out.
  explicit Reflection(const std::vector<std::string>& services);

  // `sent` holds the files that went over this stream already.
  grpc::reflection::v1alpha::ServerReflectionResponse Answer(
      const grpc::reflection::v1alpha::ServerReflectionRequest& request,
      absl::flat_hash_set<std::string>* sent) const;

  static bool IsReflectionMethod(const std::string& method);

 private:
  void AllowFile(const google::protobuf::FileDescriptor* file);

  std::vector<const google::protobuf::ServiceDescriptor*> services_;
  // Files of public services and what they import: nothing internal is told.
  absl::flat_hash_set<const google::protobuf::FileDescriptor*> files_;
};

}  // namespace switchyard::gateway
