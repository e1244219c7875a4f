// Tenants, keys and pauses as people read them. Pure functions.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/repeated_field.h"
#include "switchyard/v1/admin_service.pb.h"

namespace switchyard::cli {

std::string TenantsTable(const google::protobuf::RepeatedPtrField<v1::Tenant>& tenants);
std::string KeysTable(const google::protobuf::RepeatedPtrField<v1::Key>& keys);
std::string PausesTable(const google::protobuf::RepeatedPtrField<v1::Pause>& pauses,
                        absl::Time now);

}  // namespace switchyard::cli
