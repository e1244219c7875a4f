// Files that are part of the binary. Made at build time by embed.cmake.
#pragma once

#include "absl/strings/string_view.h"

namespace switchyard::gateway {

// A serialised google.protobuf.FileDescriptorSet of the public API, comments included.
extern const absl::string_view kApiDescriptors;
extern const absl::string_view kLandingPage;
extern const absl::string_view kDocsPage;
extern const absl::string_view kDocsScript;
extern const absl::string_view kQueuePage;
extern const absl::string_view kQueueScript;
extern const absl::string_view kPageStyle;

}  // namespace switchyard::gateway
